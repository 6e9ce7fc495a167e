// rope_append/avx512: see rope_append.h.
#include "kernels/cpu/per_token/rope_append.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<RopeAppendArgs> kRopeAppendAvx512{
    "rope_append/avx512",
    [](const RopeAppendArgs& a, const Device& device) { return device.level >= CpuLevel::kAvx512 && rope_append_fits(a); },
    [](const RopeAppendArgs&, const Device&) -> size_t { return 0; }, run_rope_append<Avx512>};

}  // namespace hearth::cpu
