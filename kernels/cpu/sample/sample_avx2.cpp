// sample/avx2: see sample.h.
#include "kernels/cpu/sample/sample.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<SampleArgs> kSampleAvx2{
    "sample/avx2", [](const SampleArgs& a, const Device& device) { return device.level >= CpuLevel::kAvx2 && sample_fits(a); },
    sample_workspace<Doubles>, run_sample<Doubles>};

}  // namespace hearth::cpu
