#include <cstring>

#include "kernels/cpu/limits/loops_simd.h"
#include "kernels/cpu/tile_session.h"

namespace hearth::cpu {
namespace {

/// Eight full tiles; 4 to 7 filled from `words`.
struct Tiles {
    TileSession session;
    alignas(64) uint32_t words[16][16];

    explicit Tiles(uint32_t seed, uint32_t mask, uint32_t base) {
        for (auto& row : words) {
            for (uint32_t& word : row) word = ((seed = seed * 1664525u + 1013904223u) >> 3 & mask) | base;
        }
        asm volatile("" : : "r"(words) : "memory");  // g++ believes that only the first words are read
        _tile_loadd(4, words, 64);
        _tile_loadd(5, words, 64);
        _tile_loadd(6, words, 64);
        _tile_loadd(7, words, 64);
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    float finish() {
        _tile_stored(0, words, 64);
        float out;
        std::memcpy(&out, words, sizeof out);
        return out;
    }
};

constexpr double kOpsPerIteration = 4 * 16.0 * 16 * 2;  // four products of 16 x 16 outputs; times k

float run_bf16(int64_t iterations, uint32_t seed) noexcept {
    Tiles tiles(seed, 0x007F007F, 0x3F803F80);  // numbers in [1, 2)
    for (int64_t n = 0; n < iterations; ++n) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    return tiles.finish();
}

float run_int8(int64_t iterations, uint32_t seed) noexcept {
    Tiles tiles(seed, 0xFFFFFFFF, 0);
    for (int64_t n = 0; n < iterations; ++n) {
        _tile_dpbssd(0, 4, 6);
        _tile_dpbssd(1, 4, 7);
        _tile_dpbssd(2, 5, 6);
        _tile_dpbssd(3, 5, 7);
    }
    return tiles.finish();
}

}  // namespace

const UnitLoop kDotBf16Amx{kOpsPerIteration * 32, run_bf16};
const UnitLoop kDotInt8Amx{kOpsPerIteration * 64, run_int8};

}  // namespace hearth::cpu
