#include "kernels/cpu/quant/quantize_groups.h"

namespace hearth::cpu {

const GroupQuantizer kGroupQuantizerAvx512{Vec::kLanes, quantize_groups<Vec>};

}  // namespace hearth::cpu
