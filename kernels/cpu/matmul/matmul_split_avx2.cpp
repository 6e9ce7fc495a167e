// matmul/split_avx2: see split.h.
#include "kernels/cpu/matmul/split.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<MatmulArgs> kMatmulSplitAvx2{
    "matmul/split_avx2", [](const MatmulArgs& a, const Device& device) { return device.level >= CpuLevel::kAvx2 && splits(a, device); },
    split_workspace, run_split<Avx2>};

}  // namespace hearth::cpu
