// norm/avx512: see norm.h.
#include "kernels/cpu/per_token/norm.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<NormArgs> kNormAvx512{
    "norm/avx512", [](const NormArgs& a, const Device& device) { return device.level >= CpuLevel::kAvx512 && norm_fits(a); },
    [](const NormArgs&, const Device&) -> size_t { return 0; }, run_norm<Avx512>};

}  // namespace hearth::cpu
