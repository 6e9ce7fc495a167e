// matmul/split_avx512: see split.h.
#include "kernels/cpu/matmul/split.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<MatmulArgs> kMatmulSplitAvx512{
    "matmul/split_avx512", [](const MatmulArgs& a, const Device& device) { return device.level >= CpuLevel::kAvx512 && splits(a, device); },
    split_workspace, run_split<Avx512>};

}  // namespace hearth::cpu
