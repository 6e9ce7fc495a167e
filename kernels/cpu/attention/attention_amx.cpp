// attention/amx: see amx_call.h.
#include "kernels/cpu/amx_tiles.h"
#include "kernels/cpu/attention/amx_call.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<AttentionArgs> kAttentionAmx{"attention/amx", TileAttention<AmxTiles>::supports, TileAttention<AmxTiles>::workspace,
                                           TileAttention<AmxTiles>::run};

}  // namespace hearth::cpu
