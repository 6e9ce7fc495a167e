#include <cstring>

#include "kernels/cpu/amx_tiles.h"
#include "kernels/cpu/limits/loops_simd.h"

namespace hearth::cpu {
namespace {

/// Eight full tiles; 4 to 7 filled from `words`.
struct FullTiles {
    AmxTiles::Session session;
    alignas(64) uint32_t words[16][16];

    explicit FullTiles(uint32_t seed, uint32_t mask, uint32_t base) {
        for (auto& row : words) {
            for (uint32_t& word : row) word = ((seed = seed * 1664525u + 1013904223u) >> 3 & mask) | base;
        }
        AmxTiles::before_loads();
        AmxTiles::load<4>(words, 64);
        AmxTiles::load<5>(words, 64);
        AmxTiles::load<6>(words, 64);
        AmxTiles::load<7>(words, 64);
        AmxTiles::zero<0>();
        AmxTiles::zero<1>();
        AmxTiles::zero<2>();
        AmxTiles::zero<3>();
    }
    float finish() {
        AmxTiles::store<0>(words, 64);
        float out;
        std::memcpy(&out, words, sizeof out);
        return out;
    }
};

constexpr double kOpsPerIteration = 4 * 16.0 * 16 * 2;  // four products of 16 x 16 outputs; times k

float run_bf16(int64_t iterations, uint32_t seed) noexcept {
    FullTiles tiles(seed, 0x007F007F, 0x3F803F80);  // numbers in [1, 2)
    for (int64_t n = 0; n < iterations; ++n) {
        AmxTiles::dot_bf16<0, 4, 6>();
        AmxTiles::dot_bf16<1, 4, 7>();
        AmxTiles::dot_bf16<2, 5, 6>();
        AmxTiles::dot_bf16<3, 5, 7>();
    }
    return tiles.finish();
}

float run_int8(int64_t iterations, uint32_t seed) noexcept {
    FullTiles tiles(seed, 0xFFFFFFFF, 0);
    for (int64_t n = 0; n < iterations; ++n) {
        AmxTiles::dot_int8<0, 4, 6>();
        AmxTiles::dot_int8<1, 4, 7>();
        AmxTiles::dot_int8<2, 5, 6>();
        AmxTiles::dot_int8<3, 5, 7>();
    }
    return tiles.finish();
}

}  // namespace

const UnitLoop kDotBf16Amx{kOpsPerIteration * 32, run_bf16};
const UnitLoop kDotInt8Amx{kOpsPerIteration * 64, run_int8};

}  // namespace hearth::cpu
