// Codes of int8 to floats and back, for the q8 cache.
#pragma once

#include "kernels/cpu/simd.h"

namespace hearth::cpu {

#if defined(__AVX512F__)

/// The first n codes, the rest 0.
HEARTH_INLINE __m512 load_codes(const int8_t* p, int64_t n) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(Avx512::first(n), p)));
}
/// Rounds to nearest even; |x| <= 127.
HEARTH_INLINE void store_codes(int8_t* p, __m512 x, int64_t n) {
    _mm512_mask_cvtepi32_storeu_epi8(p, Avx512::first(n), _mm512_cvtps_epi32(x));
}

#elif defined(__AVX2__)

HEARTH_INLINE __m256 load_codes(const int8_t* p, int64_t n) {
    int8_t part[8] = {};
    if (n < 8) {
        for (int64_t i = 0; i < n; ++i) part[i] = p[i];
        p = part;
    }
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
HEARTH_INLINE void store_codes(int8_t* p, __m256 x, int64_t n) {
    alignas(32) int32_t part[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(part), _mm256_cvtps_epi32(x));
    for (int64_t i = 0; i < n && i < 8; ++i) p[i] = static_cast<int8_t>(part[i]);
}

#endif

/// Codes and scale of a row of the cache: see KvPages.
template <class V>
void quantize_head(const float* x, int64_t d, int8_t* codes, float* scale) {
    auto largest = V::zero(), poison = V::zero();  // poison: NaN once anything is not finite
    for (int64_t i = 0; i < d; i += V::kLanes) {
        const auto v = V::load(x + i, d - i);
        largest = V::max(V::max(v, V::sub(V::zero(), v)), largest);
        poison = V::fma(v, V::zero(), poison);
    }
    const float top = V::largest(largest), none = V::sum(poison);
    const bool codable = none == 0 && top >= 1e-36f;
    const auto inverse = V::set(codable ? 127 / top : 0);
    *scale = codable ? top / 127 : none == 0 ? 0 : std::numeric_limits<float>::quiet_NaN();
    for (int64_t i = 0; i < d; i += V::kLanes) store_codes(codes + i, codable ? V::mul(V::load(x + i, d - i), inverse) : V::zero(), d - i);
}

}  // namespace hearth::cpu
