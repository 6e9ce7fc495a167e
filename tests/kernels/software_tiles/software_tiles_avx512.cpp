#include "tests/kernels/software_tiles/software_tiles.h"

#include <atomic>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hearth::testing {
namespace {

constexpr int kRows = 16, kBytes = 64, kColumns = 16;  // columns: of 4 bytes

struct Tile {
    int rows = 0;  // 0: not shaped
    uint8_t bytes[kRows][kBytes] = {};
};

thread_local Tile tiles[8];
std::atomic<int64_t> count{0};

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "SoftwareTiles: %s\n", what);
    std::abort();
}

Tile& shaped(int tile) {
    require(tile >= 0 && tile < 8 && tiles[tile].rows > 0, "a tile that no session has shaped");
    return tiles[tile];
}

/// The unit reads and writes numbers below 2^-126 as zeros of their sign.
float flushed(float x) { return std::abs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x; }

/// The numbers of bf16 at even (`first` = 0) or odd places of a row.
void widen(const Tile& tile, int row, int first, float (&out)[kColumns]) {
    for (int n = 0; n < kColumns; ++n) {
        uint16_t bits;
        std::memcpy(&bits, tile.bytes[row] + 4 * n + 2 * first, 2);
        out[n] = flushed(std::bit_cast<float>(static_cast<uint32_t>(bits) << 16));
    }
}

/// C and A of as many rows; B, with a row for each four bytes of A's rows, of 16.
struct Operands {
    Operands(int to, int left, int right) : c(shaped(to)), a(shaped(left)), b(shaped(right)) {
        require(c.rows == a.rows && b.rows == kRows, "operands whose shapes do not fit");
        require(to != left && to != right && left != right, "the same tile twice in a product");
        ++count;
    }
    Tile& c;
    const Tile &a, &b;
};

template <class B>
void dot_bytes(int c, int a, int b) {
    const Operands of(c, a, b);
    for (int m = 0; m < of.c.rows; ++m) {
        uint32_t sums[kColumns];
        std::memcpy(sums, of.c.bytes[m], sizeof sums);
        for (int k = 0; k < kBytes; ++k) {
            const int x = static_cast<int8_t>(of.a.bytes[m][k]);
            for (int n = 0; n < kColumns; ++n) sums[n] += static_cast<uint32_t>(x * static_cast<B>(of.b.bytes[k / 4][4 * n + k % 4]));
        }
        std::memcpy(of.c.bytes[m], sums, sizeof sums);
    }
}

}  // namespace

SoftwareTiles::Session::Session(int64_t rows) noexcept {
    require(rows >= 1 && rows <= kRows, "a session of no rows, or of more than 16");
    for (int i = 0; i < 8; ++i) {
        tiles[i] = {};
        tiles[i].rows = i < 6 ? static_cast<int>(rows) : kRows;
    }
}

SoftwareTiles::Session::~Session() {
    for (Tile& tile : tiles) tile.rows = 0;
}

int64_t SoftwareTiles::products() noexcept { return count; }

void SoftwareTiles::zero(int tile) noexcept { std::memset(shaped(tile).bytes, 0, sizeof tiles[0].bytes); }

void SoftwareTiles::load(int tile, const void* from, int64_t stride) noexcept {
    Tile& to = shaped(tile);
    std::memset(to.bytes, 0, sizeof to.bytes);
    for (int r = 0; r < to.rows; ++r) std::memcpy(to.bytes[r], static_cast<const char*>(from) + r * stride, kBytes);
}

void SoftwareTiles::store(int tile, void* to, int64_t stride) noexcept {
    const Tile& from = shaped(tile);
    for (int r = 0; r < from.rows; ++r) std::memcpy(static_cast<char*>(to) + r * stride, from.bytes[r], kBytes);
}

void SoftwareTiles::dot_bf16(int c, int a, int b) noexcept {
    const Operands of(c, a, b);
    float weights[2][kRows][kColumns];  // of even and of odd k
    for (int k = 0; k < kRows; ++k) {
        for (int odd = 0; odd < 2; ++odd) widen(of.b, k, odd, weights[odd][k]);
    }
    for (int m = 0; m < of.c.rows; ++m) {
        float total[kColumns], sums[2][kColumns] = {};
        for (int odd = 0; odd < 2; ++odd) {
            float x[kColumns];  // of k: a row of A is as long as B has rows
            widen(of.a, m, odd, x);
            for (int k = 0; k < kRows; ++k) {
                for (int n = 0; n < kColumns; ++n) sums[odd][n] = flushed(std::fma(x[k], weights[odd][k][n], sums[odd][n]));
            }
        }
        std::memcpy(total, of.c.bytes[m], sizeof total);
        for (int n = 0; n < kColumns; ++n) total[n] = flushed(flushed(total[n]) + flushed(sums[0][n] + sums[1][n]));
        std::memcpy(of.c.bytes[m], total, sizeof total);
    }
}

void SoftwareTiles::dot_int8(int c, int a, int b) noexcept { dot_bytes<int8_t>(c, a, b); }

void SoftwareTiles::dot_int8_uint8(int c, int a, int b) noexcept { dot_bytes<uint8_t>(c, a, b); }

}  // namespace hearth::testing
