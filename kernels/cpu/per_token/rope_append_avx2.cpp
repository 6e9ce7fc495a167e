// rope_append/avx2: see rope_append.h.
#include "kernels/cpu/per_token/rope_append.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<RopeAppendArgs> kRopeAppendAvx2{
    "rope_append/avx2",
    [](const RopeAppendArgs& a, const Device& device) { return device.level >= CpuLevel::kAvx2 && rope_append_fits(a); },
    [](const RopeAppendArgs&, const Device&) -> size_t { return 0; }, run_rope_append<Avx2>};

}  // namespace hearth::cpu
