// matmul/q_amx: see kernels/cpu/quant/tile_kernel.h.
#include "kernels/cpu/amx_tiles.h"
#include "kernels/cpu/quant/tile_kernel.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {

const Variant<MatmulArgs> kMatmulQAmx{"matmul/q_amx", QuantTiles<AmxTiles>::supports, QuantTiles<AmxTiles>::workspace,
                                      QuantTiles<AmxTiles>::run};

}  // namespace hearth::cpu
