// One product of each kind on a set of tiles, to compare sets of tiles with each other.
#pragma once

#include <cstdint>

namespace hearth::testing {

/// Memory of three tiles: c += a x b. 64-byte aligned.
struct alignas(64) TileMemory {
    uint8_t c[16][64], a[16][64], b[16][64];
};

enum class Product { kBf16, kInt8, kInt8Uint8 };

/// In place, with `rows` rows of c and a.
template <class Tiles>
void multiply(Product product, int64_t rows, TileMemory& memory) {
    const typename Tiles::Session session(rows);
    Tiles::before_loads();
    Tiles::template load<1>(memory.c, 64);
    Tiles::template load_past<4>(memory.a, 64);
    Tiles::template load<7>(memory.b, 64);
    if (product == Product::kBf16) Tiles::template dot_bf16<1, 4, 7>();
    if (product == Product::kInt8) Tiles::template dot_int8<1, 4, 7>();
    if (product == Product::kInt8Uint8) Tiles::template dot_int8_uint8<1, 4, 7>();
    Tiles::template store<1>(memory.c, 64);
}

/// By the unit itself. The machine must have it.
void multiply_by_amx(Product product, int64_t rows, TileMemory& memory);  // products_amx.cpp

}  // namespace hearth::testing
