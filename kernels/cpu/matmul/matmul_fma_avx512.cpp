// matmul/fma_avx512: float32 inputs, weights of f32, f16 or bf16, 16 outputs a register. See tile_fma.h.
//
// Tile: 2 panels times 12 tokens, 24 sums in registers. On Intel this variant also beats vdpbf16ps, which does 64 operations in two cycles
// where two FMA units do 128; so it serves bf16 there, and keeps the inputs in float32.
#include "kernels/cpu/matmul/tile_fma.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {
namespace {

template <class F>
auto with_tile(const MatmulArgs& a, F&& f) {
    return with_format<Avx512, 12, 192>(a.w.format, f);
}

bool supports(const MatmulArgs& a, const Device& device) {
    return device.level >= CpuLevel::kAvx512 && is_float(a.w.format) && fits_panels(a);
}
size_t workspace(const MatmulArgs& a, const Device& device) {
    return with_tile(a, [&](auto tile) { return multiply_workspace<decltype(tile)>(a, device); });
}
void run(const MatmulArgs& a, Stream& stream) noexcept {
    with_tile(a, [&](auto tile) { multiply<decltype(tile)>(a, stream); });
}

}  // namespace

const Variant<MatmulArgs> kMatmulFmaAvx512{"matmul/fma_avx512", supports, workspace, run};

}  // namespace hearth::cpu
