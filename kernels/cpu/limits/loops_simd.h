// Loops that differ in the width of a vector alone.
#pragma once

#include "kernels/cpu/limits/loops.h"
#include "kernels/cpu/simd.h"

namespace hearth::cpu {

/// Some number in [1, 2), another for each seed.
static inline float number(uint32_t seed) { return 1.0f + static_cast<float>(seed * 2654435761u >> 9) * 0x1p-23f; }

/// Two FMA units with a latency of 4 or 5 need 10 chains; there are 12.
template <class V>
float run_fma(int64_t iterations, uint32_t seed) noexcept {
    constexpr int kChains = 12;
    typename V::F acc[kChains];
    const auto a = V::set(number(seed) - 0.5f), b = V::set(number(seed + 1));
    HEARTH_UNROLL for (int i = 0; i < kChains; ++i) acc[i] = V::set(number(seed + 2 + i));
    for (int64_t n = 0; n < iterations; ++n) {
        HEARTH_UNROLL for (int i = 0; i < kChains; ++i) acc[i] = V::fma(acc[i], a, b);
    }
    auto sum = V::zero();
    HEARTH_UNROLL for (int i = 0; i < kChains; ++i) sum = V::add(sum, acc[i]);
    return V::sum(sum);
}

template <class V>
constexpr double kFmaOps = 12.0 * 2 * V::kLanes;

template <class V, int kStreams>
float read_streams(const std::byte* data, int64_t bytes, int64_t ahead) noexcept {
    constexpr int kParts = 64 / (V::kLanes * 4);
    const int64_t run = bytes / kStreams;
    typename V::F acc[kStreams][kParts];
    HEARTH_UNROLL for (int s = 0; s < kStreams; ++s) { HEARTH_UNROLL for (int p = 0; p < kParts; ++p) acc[s][p] = V::zero(); }
    const auto pass = [&](int64_t from, int64_t to, auto prefetch) HEARTH_INLINED {
        for (int64_t i = from; i < to; i += 64) {
            HEARTH_UNROLL for (int s = 0; s < kStreams; ++s) {
                const std::byte* line = data + s * run + i;
                if constexpr (prefetch) _mm_prefetch(reinterpret_cast<const char*>(line + ahead), _MM_HINT_T0);
                HEARTH_UNROLL for (int p = 0; p < kParts; ++p) {
                    acc[s][p] = V::add(acc[s][p], V::load(reinterpret_cast<const float*>(line) + p * V::kLanes));
                }
            }
        }
    };
    if (ahead > 0) {
        pass(0, run, std::true_type{});
    } else {
        pass(0, run, std::false_type{});
    }
    auto sum = V::zero();
    HEARTH_UNROLL for (int s = 0; s < kStreams; ++s) { HEARTH_UNROLL for (int p = 0; p < kParts; ++p) sum = V::add(sum, acc[s][p]); }
    return V::sum(sum);
}

template <class V>
float read_runs(const std::byte* data, int64_t bytes, int streams, int64_t ahead) noexcept {
    switch (streams) {
        case 1: return read_streams<V, 1>(data, bytes, ahead);
        case 2: return read_streams<V, 2>(data, bytes, ahead);
        default: return read_streams<V, 4>(data, bytes, ahead);
    }
}

}  // namespace hearth::cpu
