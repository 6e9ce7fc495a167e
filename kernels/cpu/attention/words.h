// Rows of the cache as words of 32 bits: one float, two of bf16, or four codes of a q8 cache. A vector of words is taken apart into as many
// vectors of floats by operations within lanes, so that neither turned keys nor values have to be widened in memory.
//
// Codes come out by placing their byte in the mantissa of 2^23: every second one 256 times as large, exactly, which the other factor, or
// the sum, makes up for: a power of two changes no rounding.
#pragma once

#include <type_traits>

#include "kernels/cpu/simd.h"

namespace hearth::cpu {

#if defined(__AVX512F__)

HEARTH_INLINE __m512i load_words(const void* p) { return _mm512_loadu_si512(p); }
HEARTH_INLINE __m512i load_words(const void* p, int64_t n) { return _mm512_maskz_loadu_epi32(Avx512::first(n), p); }
HEARTH_INLINE __m512i as_words(__m512 x) { return _mm512_castps_si512(x); }
HEARTH_INLINE __m512i upper_halves(__m512i words) { return _mm512_srli_epi32(words, 16); }
HEARTH_INLINE __m512 as_floats(__m512i words) { return _mm512_castsi512_ps(words); }
HEARTH_INLINE __m512 even_bf16(__m512i words) { return as_floats(_mm512_slli_epi32(words, 16)); }
HEARTH_INLINE __m512 odd_bf16(__m512i words) { return as_floats(_mm512_and_si512(words, _mm512_set1_epi32(static_cast<int>(0xFFFF0000)))); }

/// (words & mask) ^ magic, as a float.
HEARTH_INLINE __m512 place(__m512i words, int mask, int magic) {
    return as_floats(_mm512_ternarylogic_epi32(words, _mm512_set1_epi32(mask), _mm512_set1_epi32(magic), 0x6A));
}

#elif defined(__AVX2__)

HEARTH_INLINE __m256i load_words(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
HEARTH_INLINE __m256i load_words(const void* p, int64_t n) { return _mm256_maskload_epi32(static_cast<const int*>(p), Avx2::first(n)); }
HEARTH_INLINE __m256i as_words(__m256 x) { return _mm256_castps_si256(x); }
HEARTH_INLINE __m256i upper_halves(__m256i words) { return _mm256_srli_epi32(words, 16); }
HEARTH_INLINE __m256 as_floats(__m256i words) { return _mm256_castsi256_ps(words); }
HEARTH_INLINE __m256 even_bf16(__m256i words) { return as_floats(_mm256_slli_epi32(words, 16)); }
HEARTH_INLINE __m256 odd_bf16(__m256i words) { return as_floats(_mm256_and_si256(words, _mm256_set1_epi32(static_cast<int>(0xFFFF0000)))); }
HEARTH_INLINE __m256 place(__m256i words, int mask, int magic) {
    return as_floats(_mm256_xor_si256(_mm256_and_si256(words, _mm256_set1_epi32(mask)), _mm256_set1_epi32(magic)));
}

#endif

using WordVector = decltype(load_words(nullptr));

/// Words of numbers of type T; V: the vector. `take` gives numbers `i` of vectors of words, two at most; of the second pair of codes after
/// `upper_halves`.
template <class V, class T>
struct Words {
    using F = typename V::F;
    static constexpr bool kCodes = std::is_same_v<T, int8_t>;
    static constexpr int kNumbers = 4 / sizeof(T);  // in a word
    static constexpr int kTaken = kNumbers == 1 ? 1 : 2, kRounds = kNumbers / kTaken;

    static constexpr int64_t count(int64_t d) { return (d + kNumbers - 1) / kNumbers; }

    template <class I>
    static HEARTH_INLINE F take(I, WordVector words) {
        constexpr int kPart = I::value;
        if constexpr (kNumbers == 1) {
            return as_floats(words);
        } else if constexpr (kNumbers == 2) {
            return kPart == 0 ? even_bf16(words) : odd_bf16(words);
        } else if constexpr (kPart == 0) {
            return V::sub(place(words, 0xFF, 0x4B000080), V::set(8388608.0f + 128));
        } else {
            return V::sub(place(words, 0xFF00, 0x4B008000), V::set(8388608.0f + 256 * 128));
        }
    }
    /// By how much number `i` of a word comes out too large.
    static constexpr float excess(int64_t i) { return kCodes && i % 2 == 1 ? 256.0f : 1.0f; }
};

}  // namespace hearth::cpu
