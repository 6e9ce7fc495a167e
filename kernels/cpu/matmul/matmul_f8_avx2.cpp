// matmul/f8_avx2: float32 inputs, weights of e4m3 with a float32 scale a group. See kernels/cpu/quant/f8_kernel.h.
#include "kernels/cpu/quant/f8_kernel.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {
namespace {

template <class F>
auto with_kernel(const MatmulArgs& a, F&& f) {
    return a.w.has_zeros ? f(F8Kernel<Vec, true, 6>{}) : f(F8Kernel<Vec, false, 6>{});
}

bool supports(const MatmulArgs& a, const Device& device) {
    return device.level >= CpuLevel::kAvx2 && a.w.format == WeightFormat::kF8 && fits_quantized<Vec>(a);
}
size_t workspace(const MatmulArgs& a, const Device& device) {
    return with_kernel(a, [&](auto kernel) { return quant_workspace<decltype(kernel)>(a, device); });
}
void run(const MatmulArgs& a, Stream& stream) noexcept {
    with_kernel(a, [&](auto kernel) { quant_multiply<decltype(kernel)>(a, stream); });
}

}  // namespace

const Variant<MatmulArgs> kMatmulF8Avx2{"matmul/f8_avx2", supports, workspace, run};

}  // namespace hearth::cpu
