// matmul/bf16_amx: see tile_amx.h.
#include "kernels/cpu/amx_tiles.h"
#include "kernels/cpu/matmul/tile_amx.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<MatmulArgs> kMatmulBf16Amx{"matmul/bf16_amx", AmxTile<AmxTiles>::supports, multiply_workspace<AmxTile<AmxTiles>>,
                                         multiply<AmxTile<AmxTiles>>};

}  // namespace hearth::cpu
