#include "kernels/cpu/quant/tile_kernel.h"
#include "tests/kernels/software_tiles/software_tiles.h"
#include "tests/kernels/software_tiles/variants.h"

namespace hearth::testing {

using Tiles = cpu::QuantTiles<SoftwareTiles>;
const Variant<MatmulArgs> kMatmulQTiles{"matmul/q_amx", Tiles::supports, Tiles::workspace, Tiles::run};

}  // namespace hearth::testing
