// The loops that limits are measured with, by instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::cpu {

/// Keeps one arithmetic unit busy: independent chains of its instruction on registers full of random numbers.
struct UnitLoop {
    double ops_per_iteration = 0;                                        // multiplications and additions
    float (*run)(int64_t iterations, uint32_t seed) noexcept = nullptr;  // returns what must not be optimised away
};

extern const UnitLoop kFmaAvx2, kFmaAvx512, kDotBf16Avx512, kDotInt8Avx512, kDotBf16Amx, kDotInt8Amx;

/// Reads `bytes` (a multiple of 64 * streams) in `streams` equal runs side by side, prefetching `ahead` bytes in each (0: not).
using ReadLoop = float (*)(const std::byte* data, int64_t bytes, int streams, int64_t ahead) noexcept;

float read_avx2(const std::byte* data, int64_t bytes, int streams, int64_t ahead) noexcept;
float read_avx512(const std::byte* data, int64_t bytes, int streams, int64_t ahead) noexcept;

}  // namespace hearth::cpu
