// Products of four int8 at a time, in the words of the instruction set that a file is compiled for.
//
// A panel's step holds 16 outputs times four k, four bytes an output (kernels/weights/quant_panels.h). The inputs' four bytes are
// broadcast. A dot adds the sum of the four products to each output's int32: exact, so every instruction set has the same bits.
#pragma once

#include <bit>
#include <cstring>

#include "kernels/cpu/simd.h"
#include "kernels/weights/quant.h"

namespace hearth::cpu {

template <class V>
struct IntDot;

/// Where an int32 sum begins with the bits of this float, its own bits are the float kSumBase + sum, as long as the sum is a whole number
/// of size up to 2^22: no conversion is needed. (A group's is at most 32 * 127 * 128; with zero points twice that.)
constexpr float kSumBase = 3 << 22;
constexpr int32_t kSumBaseBits = std::bit_cast<int32_t>(kSumBase);

#if defined(__AVX512F__)

/// vpdpbusd: weights are the unsigned side, 128 too large; the sum of the inputs times 128 is taken off by what the int32 begins with.
template <>
struct IntDot<Avx512> {
    using I = __m512i;
    using F = __m512;
    using Weights = I;
    static constexpr int kOffset = 128;  // weights as dot() takes them are level + kOffset

    static HEARTH_INLINE I load(const void* p) { return _mm512_loadu_si512(p); }
    static HEARTH_INLINE void store(void* p, I x) { _mm512_storeu_si512(p, x); }
    static HEARTH_INLINE I set(int32_t x) { return _mm512_set1_epi32(x); }
    static HEARTH_INLINE I flip(I x) { return _mm512_xor_si512(x, _mm512_set1_epi8(static_cast<char>(0x80))); }
    static HEARTH_INLINE I low(I x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
    static HEARTH_INLINE I high(I x) { return _mm512_and_si512(_mm512_srli_epi16(x, 4), _mm512_set1_epi8(15)); }
    static HEARTH_INLINE I table(const int8_t* p) { return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
    static HEARTH_INLINE I look_up(I table, I x) { return _mm512_shuffle_epi8(table, x); }
    static HEARTH_INLINE F to_float(I x) { return _mm512_cvtepi32_ps(x); }
    static HEARTH_INLINE F as_float(I x) { return _mm512_castsi512_ps(x); }
    static HEARTH_INLINE F load_bytes(const int8_t* p) {
        return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
    }

    static HEARTH_INLINE I from_q8(I codes) { return codes; }
    static HEARTH_INLINE Weights prepare(I x) { return x; }
    static HEARTH_INLINE I dot(I sum, Weights w, I in) { return _mm512_dpbusd_epi32(sum, w, in); }
};

#elif defined(__AVX2__)

/// vpmaddubsw on |w| and the input with the sign of w: 2 * 128 * 127 stays within int16, nothing saturates.
template <>
struct IntDot<Avx2> {
    using I = __m256i;
    using F = __m256;
    struct Weights {
        I w, size;
    };
    static constexpr int kOffset = 0;

    static HEARTH_INLINE I load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static HEARTH_INLINE void store(void* p, I x) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }
    static HEARTH_INLINE I set(int32_t x) { return _mm256_set1_epi32(x); }
    static HEARTH_INLINE I flip(I x) { return _mm256_xor_si256(x, _mm256_set1_epi8(static_cast<char>(0x80))); }
    static HEARTH_INLINE I low(I x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
    static HEARTH_INLINE I high(I x) { return _mm256_and_si256(_mm256_srli_epi16(x, 4), _mm256_set1_epi8(15)); }
    static HEARTH_INLINE I table(const int8_t* p) {
        return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
    static HEARTH_INLINE I look_up(I table, I x) { return _mm256_shuffle_epi8(table, x); }
    static HEARTH_INLINE F to_float(I x) { return _mm256_cvtepi32_ps(x); }
    static HEARTH_INLINE F as_float(I x) { return _mm256_castsi256_ps(x); }
    static HEARTH_INLINE F load_bytes(const int8_t* p) {
        return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
    }

    static HEARTH_INLINE I from_q8(I codes) { return flip(codes); }
    static HEARTH_INLINE Weights prepare(I x) { return {x, _mm256_abs_epi8(x)}; }
    static HEARTH_INLINE I dot(I sum, const Weights& w, I in) {
        const I pairs = _mm256_maddubs_epi16(w.size, _mm256_sign_epi8(in, w.w));
        return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
};

#endif

/// The levels of a q4 weight as dot() takes them, `offset` too large.
struct ByteTable {
    alignas(16) int8_t bytes[16];

    HEARTH_INLINE ByteTable(const Levels& levels, int offset) {
        for (size_t i = 0; i < 16; ++i) bytes[i] = static_cast<int8_t>(static_cast<uint8_t>(levels[i] + offset));
    }
};

/// Four bytes of inputs, for all outputs.
template <class V>
HEARTH_INLINE typename IntDot<V>::I broadcast_four(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    return IntDot<V>::set(four);
}

}  // namespace hearth::cpu
