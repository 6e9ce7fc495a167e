// matmul/fma_avx2: float32 inputs, weights of f32, f16 or bf16, 8 outputs a register. See tile_fma.h.
//
// Tile: one panel times 6 tokens or two times 3, 12 sums in registers.
#include "kernels/cpu/matmul/tile_fma.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {
namespace {

template <class F>
auto with_tile(const MatmulArgs& a, F&& f) {
    return with_format<Avx2, 6, 192>(a.w.format, f);
}

bool supports(const MatmulArgs& a, const Device& device) {
    return device.level >= CpuLevel::kAvx2 && is_float(a.w.format) && fits_panels(a);
}
size_t workspace(const MatmulArgs& a, const Device& device) {
    return with_tile(a, [&](auto tile) { return multiply_workspace<decltype(tile)>(a, device); });
}
void run(const MatmulArgs& a, Stream& stream) noexcept {
    with_tile(a, [&](auto tile) { multiply<decltype(tile)>(a, stream); });
}

}  // namespace

const Variant<MatmulArgs> kMatmulFmaAvx2{"matmul/fma_avx2", supports, workspace, run};

}  // namespace hearth::cpu
