// One vector of floats of the instruction set that a file is compiled for: Vec is Avx512 in *_avx512.cpp and *_amx.cpp, Avx2 in *_avx2.cpp.
//
// Kernels that differ in the width alone are templates over Vec in headers. A file sees one of the two structs only, and all code below is
// inlined by force or carries Vec in its name, so that the linker never merges code of two instruction sets.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 warns of its own intrinsics' deliberately undefined registers
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

#include <cstdint>
#include <limits>
#include <utility>

#include "kernels/dtype.h"

#define HEARTH_INLINE inline __attribute__((always_inline))

/// The same for a lambda, after its parameters.
#define HEARTH_INLINED __attribute__((always_inline))

/// Before a `for` of a constant number of turns, 64 at most: all turns are written out, so that arrays which it indexes become registers.
#define HEARTH_UNROLL _Pragma("GCC unroll 64")

/// For register kernels, whose hundreds of unrolled accesses a sanitizer would take minutes to compile; what surrounds them is checked.
#define HEARTH_NO_SANITIZE __attribute__((no_sanitize("address", "undefined", "thread")))

namespace hearth::cpu {

/// Calls f(std::integral_constant<int, i>) for i in [0, N): for loops whose body needs its index as a constant, such as the number of a
/// tile, and for attention of few rows (see NOTES.md). Elsewhere HEARTH_UNROLL does.
template <int N, class F>
HEARTH_INLINE void unroll(F&& f) {
    [&]<int... I>(std::integer_sequence<int, I...>) HEARTH_INLINED { (f(std::integral_constant<int, I>{}), ...); }
    (std::make_integer_sequence<int, N>{});
}

/// What vectors of any width and type say in the same words: the compilers' operators, which is what the intrinsics for them consist of.
struct VectorArithmetic {
    template <class Vector>
    static HEARTH_INLINE Vector add(Vector a, Vector b) {
        return a + b;
    }
    template <class Vector>
    static HEARTH_INLINE Vector sub(Vector a, Vector b) {
        return a - b;
    }
    template <class Vector>
    static HEARTH_INLINE Vector mul(Vector a, Vector b) {
        return a * b;
    }
    template <class Vector>
    static HEARTH_INLINE Vector div(Vector a, Vector b) {
        return a / b;
    }
};

#if defined(__AVX512F__)

/// 16 floats. Parts of a vector: the first n lanes; the others read as zero and are not written.
struct Avx512 : VectorArithmetic {
    using F = __m512;
    using Mask = __mmask16;
    static constexpr int kLanes = 16;

    static HEARTH_INLINE Mask first(int64_t n) { return n >= kLanes ? Mask{0xFFFF} : static_cast<Mask>((1u << n) - 1); }
    static HEARTH_INLINE F zero() { return _mm512_setzero_ps(); }
    static HEARTH_INLINE F set(float x) { return _mm512_set1_ps(x); }
    static HEARTH_INLINE F load(const float* p) { return _mm512_loadu_ps(p); }
    static HEARTH_INLINE F load(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
    static HEARTH_INLINE void store(float* p, F x) { _mm512_storeu_ps(p, x); }
    static HEARTH_INLINE void store(float* p, F x, int64_t n) { _mm512_mask_storeu_ps(p, first(n), x); }
    static HEARTH_INLINE void store_past(float* p, F x) { _mm512_stream_ps(p, x); }  // past the caches; p on a whole vector
    static HEARTH_INLINE F widen(__m256i bits) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16)); }
    static HEARTH_INLINE F load(const Bf16* p) { return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
    static HEARTH_INLINE F load(const Bf16* p, int64_t n) { return widen(_mm256_maskz_loadu_epi16(first(n), p)); }
    static HEARTH_INLINE F load(const F16* p) { return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
    static HEARTH_INLINE F load(const F16* p, int64_t n) { return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(n), p)); }
    static HEARTH_INLINE __m256i narrow(F x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)); }
    static HEARTH_INLINE void store(Bf16* p, F x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(x)); }
    static HEARTH_INLINE void store(Bf16* p, F x, int64_t n) { _mm256_mask_storeu_epi16(p, first(n), narrow(x)); }

    static HEARTH_INLINE F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
    static HEARTH_INLINE F fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }
    static HEARTH_INLINE F max(F a, F b) { return _mm512_max_ps(a, b); }  // b where either is NaN
    static HEARTH_INLINE Mask less(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
    static HEARTH_INLINE uint32_t bits(Mask m) { return m; }
    static HEARTH_INLINE F choose(Mask m, F yes, F no) { return _mm512_mask_blend_ps(m, no, yes); }
    static HEARTH_INLINE F round(F x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    static HEARTH_INLINE F times_power_of_two(F x, F n) { return _mm512_scalef_ps(x, n); }
    static HEARTH_INLINE F index() { return _mm512_set_ps(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0); }
    static HEARTH_INLINE float sum(F x) { return _mm512_reduce_add_ps(x); }
    static HEARTH_INLINE float largest(F x) { return _mm512_reduce_max_ps(x); }

    /// 16 outputs times a pair of k as a panel of bf16 holds them: the even or the odd ones as floats.
    static HEARTH_INLINE F load_even(const void* p) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(p), 16)); }
    static HEARTH_INLINE F load_odd(const void* p) {
        return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi32(static_cast<int>(0xFFFF0000))));
    }
};
using Vec = Avx512;

#elif defined(__AVX2__)

/// 8 floats, in the same terms.
struct Avx2 : VectorArithmetic {
    using F = __m256;
    using Mask = __m256;
    static constexpr int kLanes = 8;

    static HEARTH_INLINE __m256i first(int64_t n) {
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n < kLanes ? n : kLanes)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    static HEARTH_INLINE F zero() { return _mm256_setzero_ps(); }
    static HEARTH_INLINE F set(float x) { return _mm256_set1_ps(x); }
    static HEARTH_INLINE F load(const float* p) { return _mm256_loadu_ps(p); }
    static HEARTH_INLINE F load(const float* p, int64_t n) { return _mm256_maskload_ps(p, first(n)); }
    static HEARTH_INLINE void store(float* p, F x) { _mm256_storeu_ps(p, x); }
    static HEARTH_INLINE void store(float* p, F x, int64_t n) { _mm256_maskstore_ps(p, first(n), x); }
    static HEARTH_INLINE void store_past(float* p, F x) { _mm256_stream_ps(p, x); }
    static HEARTH_INLINE F widen(__m128i bits) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16)); }
    static HEARTH_INLINE F load(const Bf16* p) { return widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
    static HEARTH_INLINE F load(const F16* p) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
    template <class Half>
    static HEARTH_INLINE F load(const Half* p, int64_t n) {
        Half part[kLanes] = {};
        for (int64_t i = 0; i < n && i < kLanes; ++i) part[i] = p[i];
        return load(part);
    }
    static HEARTH_INLINE __m128i narrow(F x) {  // to nearest even; NaN stays NaN
        const __m256i u = _mm256_castps_si256(x);
        const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
        const __m256i rounded = _mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
        const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
        const __m256i quiet = _mm256_or_si256(u, _mm256_set1_epi32(0x400000));
        const __m256i high = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
        return _mm_packus_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1));
    }
    static HEARTH_INLINE void store(Bf16* p, F x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), narrow(x)); }
    static HEARTH_INLINE void store(Bf16* p, F x, int64_t n) {
        Bf16 part[kLanes];
        store(part, x);
        for (int64_t i = 0; i < n && i < kLanes; ++i) p[i] = part[i];
    }

    static HEARTH_INLINE F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
    static HEARTH_INLINE F fnma(F a, F b, F c) { return _mm256_fnmadd_ps(a, b, c); }
    static HEARTH_INLINE F max(F a, F b) { return _mm256_max_ps(a, b); }  // b where either is NaN
    static HEARTH_INLINE Mask less(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
    static HEARTH_INLINE uint32_t bits(Mask m) { return static_cast<uint32_t>(_mm256_movemask_ps(m)); }
    static HEARTH_INLINE F choose(Mask m, F yes, F no) { return _mm256_blendv_ps(no, yes, m); }
    static HEARTH_INLINE F round(F x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    /// |n| <= 128, in two steps so that the ends of the range come out right.
    static HEARTH_INLINE F times_power_of_two(F x, F n) {
        const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1), rest = _mm256_sub_epi32(whole, half);
        const auto power = [](__m256i e) {
            return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(127)), 23));
        };
        return _mm256_mul_ps(_mm256_mul_ps(x, power(half)), power(rest));
    }
    static HEARTH_INLINE F index() { return _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7); }
    static HEARTH_INLINE float sum(F x) {
        __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
        s = _mm_add_ps(s, _mm_movehl_ps(s, s));
        return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
    }
    static HEARTH_INLINE float largest(F x) {
        __m128 s = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
        s = _mm_max_ps(s, _mm_movehl_ps(s, s));
        return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
    }

    /// 8 outputs times a pair of k as a panel of bf16 holds them: the even or the odd ones as floats.
    static HEARTH_INLINE F load_even(const void* p) {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p)), 16));
    }
    static HEARTH_INLINE F load_odd(const void* p) {
        return _mm256_castsi256_ps(
            _mm256_and_si256(_mm256_loadu_si256(static_cast<const __m256i*>(p)), _mm256_set1_epi32(static_cast<int>(0xFFFF0000))));
    }
};
using Vec = Avx2;

#endif

/// e^x within 2 units in the last place for results from 1.2e-38 to 3.4e38; below that 0, above about 3.4e38; NaN stays NaN.
template <class V>
HEARTH_INLINE typename V::F exp(typename V::F x) {
    using F = typename V::F;
    const F low = V::set(-87.33654f), high = V::set(88.72283f);
    const auto gone = V::less(x, low);
    F bounded = V::max(low, x);
    bounded = V::choose(V::less(high, bounded), high, bounded);
    const F n = V::round(V::mul(bounded, V::set(1.44269504f)));
    const F r = V::fnma(n, V::set(-2.12194440e-4f), V::fnma(n, V::set(0.693359375f), bounded));
    F p = V::set(0.00139262131f);  // (e^r - 1 - r) / r^2: fitted at the Chebyshev nodes of |r| <= ln(2) / 2, off by 1e-8 of e^r
    p = V::fma(p, r, V::set(0.00836320315f));
    p = V::fma(p, r, V::set(0.0416665561f));
    p = V::fma(p, r, V::set(0.166665763f));
    p = V::fma(p, r, V::set(0.5f));
    const F e = V::add(V::fma(V::mul(r, r), p, r), V::set(1));
    return V::choose(gone, V::zero(), V::times_power_of_two(e, n));
}

/// x / (1 + e^-x).
template <class V>
HEARTH_INLINE typename V::F silu(typename V::F x) {
    return V::div(x, V::add(V::set(1), exp<V>(V::sub(V::zero(), x))));
}

}  // namespace hearth::cpu
