// The variants that multiply in tiles, with the tiles in software.
#pragma once

#include "kernels/ops.h"
#include "kernels/select.h"

namespace hearth::testing {

/// Named as the variants whose code they run: "matmul/bf16_amx", "matmul/q_amx", "attention/amx". For devices with AVX-512.
extern const Variant<MatmulArgs> kMatmulBf16Tiles;    // matmul_tiles_avx512.cpp
extern const Variant<MatmulArgs> kMatmulQTiles;       // matmul_q_tiles_avx512.cpp
extern const Variant<AttentionArgs> kAttentionTiles;  // attention_tiles_avx512.cpp

}  // namespace hearth::testing
