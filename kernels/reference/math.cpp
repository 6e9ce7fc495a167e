#include "kernels/reference/math.h"

namespace hearth::reference {

void norm_row(const float* x, View<const float, 1> weight, float eps, int64_t k, float* y) {
    double sum = 0;
    for (int64_t i = 0; i < k; ++i) sum += double{x[i]} * x[i];
    const auto scale = static_cast<float>(1 / std::sqrt(sum / static_cast<double>(k) + double{eps}));
    for (int64_t i = 0; i < k; ++i) y[i] = x[i] * scale * weight(i);
}

float dot_row(const Weight& w, int64_t row, const float* x, float* unpacked) {
    unpack_row(w, row, unpacked);
    float sum = 0;
    for (int64_t i = 0; i < w.k; ++i) sum += unpacked[i] * x[i];
    return sum;
}

void matmul(View<const float, 2> x, const Weight& w, View<const float, 1> bias, bool accumulate, View<float, 2> y, float* unpacked) {
    for (int64_t n = 0; n < w.n; ++n) {
        unpack_row(w, n, unpacked);
        for (int64_t t = 0; t < x.extent[0]; ++t) {
            const float* row = x.row(t);
            float sum = 0;
            for (int64_t i = 0; i < w.k; ++i) sum += unpacked[i] * row[i];
            if (bias.data) sum += bias(n);
            y(t, n) = accumulate ? y(t, n) + sum : sum;
        }
    }
}

}  // namespace hearth::reference
