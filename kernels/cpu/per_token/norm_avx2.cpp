// norm/avx2: see norm.h.
#include "kernels/cpu/per_token/norm.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<NormArgs> kNormAvx2{"norm/avx2",
                                  [](const NormArgs& a, const Device& device) { return device.level >= CpuLevel::kAvx2 && norm_fits(a); },
                                  [](const NormArgs&, const Device&) -> size_t { return 0; }, run_norm<Avx2>};

}  // namespace hearth::cpu
