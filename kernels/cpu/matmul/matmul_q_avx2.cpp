// matmul/q_avx2: q8 and q4 weights times inputs quantised to int8, by vpmaddubsw.
//
// Tile: one row of inputs times two panels, 4 int32 and 4 float32 sums of 8 outputs in registers: 16 registers hold no more next to the
// weights, their sizes and what lies between two operations. Order of summation: see kernels/cpu/quant/dot_tile.h.
#include "kernels/cpu/quant/int_kernel.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {
namespace {

template <WeightFormat kFormat, bool kZeros>
struct Kernel : IntKernel<Vec, kFormat, kZeros, 2, 2, 192> {};

bool supports(const MatmulArgs& a, const Device& device) {
    return device.level >= CpuLevel::kAvx2 && a.w.format != WeightFormat::kF8 && fits_quantized<Vec>(a);
}
size_t workspace(const MatmulArgs& a, const Device& device) {
    return with_int_kernel<Kernel>(a, [&](auto kernel) { return quant_workspace<decltype(kernel)>(a, device); });
}
void run(const MatmulArgs& a, Stream& stream) noexcept {
    with_int_kernel<Kernel>(a, [&](auto kernel) { quant_multiply<decltype(kernel)>(a, stream); });
}

}  // namespace

const Variant<MatmulArgs> kMatmulQAvx2{"matmul/q_avx2", supports, workspace, run};

}  // namespace hearth::cpu
