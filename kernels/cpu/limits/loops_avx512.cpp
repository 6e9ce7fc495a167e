#include "kernels/cpu/limits/loops_simd.h"

namespace hearth::cpu {
namespace {

constexpr int kChains = 16;

float run_dot_bf16(int64_t iterations, uint32_t seed) noexcept {
    __m512 acc[kChains];
    const auto a = reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(0x3F803F00u + (seed & 0x7F))));
    HEARTH_UNROLL for (int i = 0; i < kChains; ++i) acc[i] = Vec::set(number(seed + i));
    for (int64_t n = 0; n < iterations; ++n) {
        HEARTH_UNROLL for (int i = 0; i < kChains; ++i) acc[i] = _mm512_dpbf16_ps(acc[i], a, a);
    }
    __m512 sum = Vec::zero();
    HEARTH_UNROLL for (int i = 0; i < kChains; ++i) sum = Vec::add(sum, acc[i]);
    return Vec::sum(sum);
}

float run_dot_int8(int64_t iterations, uint32_t seed) noexcept {
    __m512i acc[kChains];
    const __m512i a = _mm512_set1_epi32(static_cast<int>(seed * 2654435761u)), b = _mm512_set1_epi32(static_cast<int>(seed * 2246822519u));
    HEARTH_UNROLL for (int i = 0; i < kChains; ++i) acc[i] = _mm512_set1_epi32(i);
    for (int64_t n = 0; n < iterations; ++n) {
        HEARTH_UNROLL for (int i = 0; i < kChains; ++i) acc[i] = _mm512_dpbusd_epi32(acc[i], a, b);
    }
    __m512i sum = _mm512_setzero_si512();
    HEARTH_UNROLL for (int i = 0; i < kChains; ++i) sum = _mm512_add_epi32(sum, acc[i]);
    return static_cast<float>(_mm512_reduce_add_epi32(sum));
}

}  // namespace

const UnitLoop kFmaAvx512{kFmaOps<Avx512>, run_fma<Avx512>};
const UnitLoop kDotBf16Avx512{kChains * 16.0 * 4, run_dot_bf16};
const UnitLoop kDotInt8Avx512{kChains * 16.0 * 8, run_dot_int8};

float read_avx512(const std::byte* data, int64_t bytes, int streams, int64_t ahead) noexcept {
    return read_runs<Avx512>(data, bytes, streams, ahead);
}

}  // namespace hearth::cpu
