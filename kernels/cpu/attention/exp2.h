// Powers of two, and sums across lanes in one order: what attention by FMA needs of a vector beyond simd.h.
#pragma once

#include <cmath>

#include "kernels/cpu/simd.h"

namespace hearth::cpu {

/// 2^x for x <= 0 within 2e-7: 2^0 is 1; below 2^-126 it is 0, as it is for minus infinity. NaN stays NaN.
template <class V>
HEARTH_INLINE typename V::F exp2(typename V::F x) {
    using F = typename V::F;
#if defined(__AVX512F__)
    const F r = _mm512_reduce_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);  // x - round(x)
#else
    const F bounded = V::max(V::set(-127), x);
    const F r = V::sub(bounded, V::round(bounded));
#endif
    F p = V::set(0.00132647273f);  // fitted for least relative error over |r| <= 1/2 with p(0) = 1: 9e-8
    p = V::fma(p, r, V::set(0.00967151299f));
    p = V::fma(p, r, V::set(0.0555073358f));
    p = V::fma(p, r, V::set(0.240222424f));
    p = V::fma(p, r, V::set(0.693147004f));
    p = V::fma(p, r, V::set(1));
#if defined(__AVX512F__)
    const __mmask16 some = _mm512_cmp_ps_mask(x, V::set(-126), _CMP_NLT_UQ);
    return _mm512_maskz_scalef_ps(some, p, _mm512_sub_ps(x, r));
#else
    const __m256i power = _mm256_slli_epi32(_mm256_cvtps_epi32(V::sub(bounded, r)), 23);
    const F e = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), power));
    const F some = _mm256_cmp_ps(x, V::set(-126), _CMP_NLT_UQ);
    return _mm256_and_ps(e, some);
#endif
}

/// What rows subtract from their scores: the largest one, 0 where there is none.
template <class V>
HEARTH_INLINE typename V::F shift_of(typename V::F largest) {
    return V::choose(V::less(largest, V::set(-std::numeric_limits<float>::max())), V::zero(), largest);
}

/// The sum of all lanes: upper half to lower half, until one is left.
template <class V>
HEARTH_INLINE float halving_sum(typename V::F x) {
#if defined(__AVX512F__)
    const __m256 y = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
#else
    const __m256 y = x;
#endif
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

/// The same sums, of vectors of which each is one lane: parts[0] becomes the sum.
template <class V>
HEARTH_INLINE void halving_sums(typename V::F* parts) {
    for (int half = V::kLanes / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) parts[i] = V::add(parts[i], parts[i + half]);
    }
}

}  // namespace hearth::cpu
