#include "kernels/cpu/attention/amx_call.h"
#include "tests/kernels/software_tiles/software_tiles.h"
#include "tests/kernels/software_tiles/variants.h"

namespace hearth::testing {

using Attention = cpu::TileAttention<SoftwareTiles>;
const Variant<AttentionArgs> kAttentionTiles{"attention/amx", Attention::supports, Attention::workspace, Attention::run};

}  // namespace hearth::testing
