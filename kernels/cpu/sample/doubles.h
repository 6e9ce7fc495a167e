// Vectors of doubles, for what sampling computes in double.
#pragma once

#include "kernels/cpu/simd.h"

namespace hearth::cpu {

#if defined(__AVX512F__)

struct Doubles512 : VectorArithmetic {
    using D = __m512d;
    static constexpr int kLanes = 8;
    static HEARTH_INLINE D set(double x) { return _mm512_set1_pd(x); }
    static HEARTH_INLINE D load(const double* p) { return _mm512_loadu_pd(p); }
    static HEARTH_INLINE D widen(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
    static HEARTH_INLINE void store(double* p, D x) { _mm512_storeu_pd(p, x); }
    static HEARTH_INLINE D max(D a, D b) { return _mm512_max_pd(a, b); }
    static HEARTH_INLINE D fma(D a, D b, D c) { return _mm512_fmadd_pd(a, b, c); }
    static HEARTH_INLINE D fnma(D a, D b, D c) { return _mm512_fnmadd_pd(a, b, c); }
    static HEARTH_INLINE D round(D x) { return _mm512_roundscale_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    static HEARTH_INLINE D times_power_of_two(D x, D n) { return _mm512_scalef_pd(x, n); }
    static HEARTH_INLINE uint32_t at_least(D a, D b) { return _mm512_cmp_pd_mask(a, b, _CMP_GE_OQ); }  // a bit a lane
    static HEARTH_INLINE D zero_below(D x, D bound, D y) { return _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(x, bound, _CMP_NLT_UQ), y); }
};
using Doubles = Doubles512;

#elif defined(__AVX2__)

struct Doubles256 : VectorArithmetic {
    using D = __m256d;
    static constexpr int kLanes = 4;
    static HEARTH_INLINE D set(double x) { return _mm256_set1_pd(x); }
    static HEARTH_INLINE D load(const double* p) { return _mm256_loadu_pd(p); }
    static HEARTH_INLINE D widen(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
    static HEARTH_INLINE void store(double* p, D x) { _mm256_storeu_pd(p, x); }
    static HEARTH_INLINE D max(D a, D b) { return _mm256_max_pd(a, b); }
    static HEARTH_INLINE D fma(D a, D b, D c) { return _mm256_fmadd_pd(a, b, c); }
    static HEARTH_INLINE D fnma(D a, D b, D c) { return _mm256_fnmadd_pd(a, b, c); }
    static HEARTH_INLINE D round(D x) { return _mm256_round_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    static HEARTH_INLINE D times_power_of_two(D x, D n) {  // -1021 <= n <= 1023
        const __m256i e = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(n)), _mm256_set1_epi64x(1023));
        return _mm256_mul_pd(x, _mm256_castsi256_pd(_mm256_slli_epi64(e, 52)));
    }
    static HEARTH_INLINE uint32_t at_least(D a, D b) { return static_cast<uint32_t>(_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_GE_OQ))); }
    static HEARTH_INLINE D zero_below(D x, D bound, D y) { return _mm256_and_pd(_mm256_cmp_pd(x, bound, _CMP_NLT_UQ), y); }
};
using Doubles = Doubles256;

#endif

/// e^x for x <= 0, within about an ulp; 0 below -700.
template <class V>
HEARTH_INLINE typename V::D exp_negative(typename V::D x) {
    const auto low = V::set(-700.0);
    const auto bounded = V::max(x, low), n = V::round(V::mul(bounded, V::set(1.4426950408889634)));
    const auto r = V::fnma(n, V::set(1.9082149292705877e-10), V::fnma(n, V::set(0.693147180369123816490), bounded));  // ln 2 in two parts
    auto p = V::set(1.0 / 6227020800.0);  // Taylor: the term left out is below 1e-17 for |r| <= ln(2) / 2
    for (const double factorial : {479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0}) {
        p = V::fma(p, r, V::set(1.0 / factorial));
    }
    return V::zero_below(x, low, V::times_power_of_two(p, n));
}

}  // namespace hearth::cpu
