#include "kernels/cpu/matmul/tile_amx.h"
#include "tests/kernels/software_tiles/software_tiles.h"
#include "tests/kernels/software_tiles/variants.h"

namespace hearth::testing {

using Tile = cpu::AmxTile<SoftwareTiles>;
const Variant<MatmulArgs> kMatmulBf16Tiles{"matmul/bf16_amx", Tile::supports, cpu::multiply_workspace<Tile>, cpu::multiply<Tile>};

}  // namespace hearth::testing
