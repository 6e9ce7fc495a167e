// matmul/q_avx512: q8 and q4 weights times inputs quantised to int8, by vpdpbusd.
//
// Tile: 2 panels times 6 rows of inputs, 12 int32 sums and 12 float32 sums in registers. Bound for many rows: the dot unit, of which 8 of
// 10 vector operations are dots (80 %); for one row: memory. Order of summation: see kernels/cpu/quant/dot_tile.h.
#include "kernels/cpu/quant/int_kernel.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {
namespace {

template <WeightFormat kFormat, bool kZeros>
struct Kernel : IntKernel<Vec, kFormat, kZeros, 6, 4, 384> {};

bool supports(const MatmulArgs& a, const Device& device) {
    return device.level >= CpuLevel::kAvx512 && a.w.format != WeightFormat::kF8 && fits_quantized<Vec>(a);
}
size_t workspace(const MatmulArgs& a, const Device& device) {
    return with_int_kernel<Kernel>(a, [&](auto kernel) { return quant_workspace<decltype(kernel)>(a, device); });
}
void run(const MatmulArgs& a, Stream& stream) noexcept {
    with_int_kernel<Kernel>(a, [&](auto kernel) { quant_multiply<decltype(kernel)>(a, stream); });
}

}  // namespace

const Variant<MatmulArgs> kMatmulQAvx512{"matmul/q_avx512", supports, workspace, run};

}  // namespace hearth::cpu
