#include "kernels/reference/math.h"
#include "kernels/reference/reference.h"
#include "kernels/scratch.h"

namespace hearth {
namespace {

void run(const MatmulArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    float* unpacked = scratch.take<float>(a.w.k);
    const int64_t tokens = a.x.extent[0];
    View<float, 2> product = scratch.matrix(tokens, a.w.n);
    reference::matmul(a.x, a.w, a.bias, false, product, unpacked);
    if (a.up) {
        View<float, 2> up = scratch.matrix(tokens, a.w.n);
        reference::matmul(a.x, a.up, a.up_bias, false, up, unpacked);
        for (int64_t t = 0; t < tokens; ++t) {
            for (int64_t n = 0; n < a.w.n; ++n) product(t, n) = reference::silu(product(t, n)) * up(t, n);
        }
    }
    for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t n = 0; n < a.w.n; ++n) a.y(t, n) = product(t, n) + (a.residual.data ? a.residual(t, n) : 0.0f);
    }
}

size_t workspace(const MatmulArgs& a, const Device&) {
    return scratch_bytes<float>(a.w.k) + (a.up ? 2 : 1) * scratch_bytes<float>(a.x.extent[0] * a.w.n);
}

}  // namespace

const Variant<MatmulArgs> kMatmulReference{"matmul/reference", [](const MatmulArgs&, const Device&) { return true; }, workspace, run};

}  // namespace hearth
