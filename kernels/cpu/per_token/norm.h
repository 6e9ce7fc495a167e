// Root mean square norm of rows, a vector at a time.
//
// Traffic: x twice (the second time from L1 or L2), the weight once a row, y once. Bound: L2 bandwidth; a row of 2048 takes a fraction of a
// microsecond, so one token is done by the caller alone.
// Order of summation: four accumulators over k, added pairwise, then lanes: the same bits whatever the rows and threads.
#pragma once

#include <cmath>

#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/simd.h"
#include "kernels/ops.h"
#include "kernels/select.h"

namespace hearth::cpu {

/// 1 / sqrt(mean(x^2) + eps) of x[k].
template <class V>
float norm_scale(const float* x, int64_t k, float eps) {
    typename V::F sum[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
    int64_t i = 0;
    for (; i + 4 * V::kLanes <= k; i += 4 * V::kLanes) {
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
            const auto v = V::load(x + i + j * V::kLanes);
            sum[j] = V::fma(v, v, sum[j]);
        }
    }
    for (; i < k; i += V::kLanes) {
        const auto v = V::load(x + i, k - i);
        sum[0] = V::fma(v, v, sum[0]);
    }
    const float squares = V::sum(V::add(V::add(sum[0], sum[1]), V::add(sum[2], sum[3])));
    return 1.0f / std::sqrt(squares / static_cast<float>(k) + eps);
}

/// y[k] = x[k] * scale * weight[k]; y may be x.
template <class V>
void scale_row(const float* x, const float* weight, float scale, int64_t k, float* y) {
    const auto factor = V::set(scale);
    int64_t i = 0;
    for (; i + V::kLanes <= k; i += V::kLanes) V::store(y + i, V::mul(V::mul(V::load(x + i), factor), V::load(weight + i)));
    if (i < k) V::store(y + i, V::mul(V::mul(V::load(x + i, k - i), factor), V::load(weight + i, k - i)), k - i);
}

template <class V>
void run_norm(const NormArgs& a, Stream& stream) noexcept {
    const int64_t k = a.x.extent[1];
    share(stream, a.x.extent[0], a.x.size() / 4, [&](Range rows) {
        for (int64_t t = rows.begin; t < rows.end; ++t)
            scale_row<V>(a.x.row(t), a.weight.data, norm_scale<V>(a.x.row(t), k, a.eps), k, a.y.row(t));
    });
}

static inline bool norm_fits(const NormArgs& a) { return a.x.stride[1] == 1 && a.y.stride[1] == 1 && a.weight.stride[0] == 1; }

}  // namespace hearth::cpu
