#include "kernels/cpu/amx_tiles.h"
#include "tests/kernels/software_tiles/products.h"

namespace hearth::testing {

void multiply_by_amx(Product product, int64_t rows, TileMemory& memory) { multiply<cpu::AmxTiles>(product, rows, memory); }

}  // namespace hearth::testing
