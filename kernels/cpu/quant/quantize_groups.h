// One group of 32 a lane: every lane sums in the order of kernels/weights/quant.cpp, so its codes and scales come out bit for bit.
//
// The compiler must not make one rounding of a product and a sum: products pass through `rounded`.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu/quant/quantize_rows.h"
#include "kernels/cpu/simd.h"

namespace hearth::cpu {

/// Half way between each level and the next.
constexpr float middle(int i) {
    return 0.5f * static_cast<float>(kNormalLevels[static_cast<size_t>(i)] + kNormalLevels[static_cast<size_t>(i) + 1]);
}
constexpr float level(int i) { return static_cast<float>(kNormalLevels[static_cast<size_t>(i)]); }

/// Lanes of whole numbers, and what AVX2 and AVX-512 say differently.
template <class V>
struct Codes;

#if defined(__AVX512F__)

template <>
struct Codes<Avx512> {
    using I = __m512i;
    using F = __m512;
    static HEARTH_INLINE F rounded(F x) {
        asm("" : "+v"(x));
        return x;
    }
    static HEARTH_INLINE F size(F x) { return _mm512_abs_ps(x); }
    static HEARTH_INLINE F low(F a, F b) { return _mm512_min_ps(a, b); }
    static HEARTH_INLINE bool all_usable(F extreme) {  // finite and not zero
        return (_mm512_cmp_ps_mask(size(extreme), Avx512::zero(), _CMP_GT_OQ) &
                _mm512_cmp_ps_mask(size(extreme), Avx512::set(INFINITY), _CMP_LT_OQ)) == 0xFFFF;
    }
    static HEARTH_INLINE F to_f16_and_back(F x) {
        return _mm512_cvtph_ps(_mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
    static HEARTH_INLINE void store_f16(F x, F16* out) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
    /// The 4-bit code of the level nearest to u: a search by halves.
    static HEARTH_INLINE I nearest(F u) {
        const F quarters = _mm512_setr_ps(middle(3), 0, 0, 0, 0, 0, 0, 0, middle(11), 0, 0, 0, 0, 0, 0, 0);
        const F eighths = _mm512_setr_ps(middle(1), 0, 0, 0, middle(5), 0, 0, 0, middle(9), 0, 0, 0, middle(13), 0, 0, 0);
        const F last = _mm512_setr_ps(middle(0), 0, middle(2), 0, middle(4), 0, middle(6), 0, middle(8), 0, middle(10), 0, middle(12), 0,
                                      middle(14), 0);
        I code = _mm512_maskz_set1_epi32(_mm512_cmp_ps_mask(u, Avx512::set(middle(7)), _CMP_GT_OQ), 8);
        const auto step = [&](F table, int by) HEARTH_INLINED {
            code = _mm512_mask_add_epi32(code, _mm512_cmp_ps_mask(u, _mm512_permutexvar_ps(code, table), _CMP_GT_OQ), code,
                                         _mm512_set1_epi32(by));
        };
        step(quarters, 4);
        step(eighths, 2);
        step(last, 1);
        return code;
    }
    static HEARTH_INLINE F level_of(I code) {
        return _mm512_permutexvar_ps(
            code, _mm512_setr_ps(level(0), level(1), level(2), level(3), level(4), level(5), level(6), level(7), level(8), level(9),
                                 level(10), level(11), level(12), level(13), level(14), level(15)));
    }
    static HEARTH_INLINE I whole(F x) { return _mm512_cvtps_epi32(x); }
    static HEARTH_INLINE void store_bytes(I x, uint8_t* out) { _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_cvtepi32_epi8(x)); }
};

#elif defined(__AVX2__)

template <>
struct Codes<Avx2> {
    using I = __m256i;
    using F = __m256;
    static HEARTH_INLINE F rounded(F x) {
        asm("" : "+x"(x));
        return x;
    }
    static HEARTH_INLINE F size(F x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
    static HEARTH_INLINE F low(F a, F b) { return _mm256_min_ps(a, b); }
    static HEARTH_INLINE bool all_usable(F extreme) {
        return _mm256_movemask_ps(_mm256_and_ps(Avx2::less(Avx2::zero(), size(extreme)), Avx2::less(size(extreme), Avx2::set(INFINITY)))) ==
               0xFF;
    }
    static HEARTH_INLINE F to_f16_and_back(F x) {
        return _mm256_cvtph_ps(_mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
    static HEARTH_INLINE void store_f16(F x, F16* out) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
    static HEARTH_INLINE I nearest(F u) {  // tables of eight: the search doubles its number at each step
        const F eighths = _mm256_setr_ps(middle(1), middle(5), middle(9), middle(13), 0, 0, 0, 0);
        const F last = _mm256_setr_ps(middle(0), middle(2), middle(4), middle(6), middle(8), middle(10), middle(12), middle(14));
        const auto doubled = [](I code, F more)
                                 HEARTH_INLINED { return _mm256_sub_epi32(_mm256_add_epi32(code, code), _mm256_castps_si256(more)); };
        const F upper = Avx2::less(Avx2::set(middle(7)), u);
        I code = doubled(_mm256_setzero_si256(), upper);
        code = doubled(code, Avx2::less(Avx2::choose(upper, Avx2::set(middle(11)), Avx2::set(middle(3))), u));
        code = doubled(code, Avx2::less(_mm256_permutevar8x32_ps(eighths, code), u));
        return doubled(code, Avx2::less(_mm256_permutevar8x32_ps(last, code), u));
    }
    static HEARTH_INLINE F level_of(I code) {
        const F low8 =
            _mm256_permutevar8x32_ps(_mm256_setr_ps(level(0), level(1), level(2), level(3), level(4), level(5), level(6), level(7)), code);
        const F high8 = _mm256_permutevar8x32_ps(
            _mm256_setr_ps(level(8), level(9), level(10), level(11), level(12), level(13), level(14), level(15)), code);
        return _mm256_blendv_ps(low8, high8, _mm256_castsi256_ps(_mm256_slli_epi32(code, 28)));
    }
    static HEARTH_INLINE I whole(F x) { return _mm256_cvtps_epi32(x); }
    static HEARTH_INLINE void store_bytes(I x, uint8_t* out) {
        const I bytes = _mm256_shuffle_epi8(x, _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12,
                                                                -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
        const int low4 = _mm_cvtsi128_si32(_mm256_castsi256_si128(bytes)), high4 = _mm_cvtsi128_si32(_mm256_extracti128_si256(bytes, 1));
        std::memcpy(out, &low4, 4);
        std::memcpy(out + 4, &high4, 4);
    }
};

#endif

/// Groups side by side: number i of all of them in one vector.
template <class V>
struct alignas(64) GroupLanes {
    float w[kQuantGroup][V::kLanes];
    float importance[kQuantGroup][V::kLanes];
};

/// 0 of 0.
template <class V>
HEARTH_INLINE typename V::F inverse_of(typename V::F scale) {
    return V::choose(V::less(V::zero(), Codes<V>::size(scale)), V::div(V::set(1), scale), V::zero());
}

/// What the codes of some scale reach: see kernels/weights/quant.cpp.
template <class V>
struct Fits {
    typename V::F wl = V::zero(), ll = V::zero();

    HEARTH_INLINE typename V::F ratio(typename V::F over) const { return V::choose(V::less(V::zero(), ll), V::div(over, ll), V::zero()); }
    HEARTH_INLINE typename V::F gain() const { return ratio(V::mul(wl, wl)); }
    HEARTH_INLINE typename V::F scale() const { return ratio(wl); }
};

template <class V, bool kImportance>
HEARTH_INLINE Fits<V> fit_of(const GroupLanes<V>& in, typename V::F scale) {
    using C = Codes<V>;
    using F = typename V::F;
    const F inverse = inverse_of<V>(scale);
    Fits<V> fit;
    for (int64_t i = 0; i < kQuantGroup; ++i) {
        const F w = V::load(in.w[i]), l = C::level_of(C::nearest(V::mul(w, inverse)));
        F weighted = w, weighted_level = l;
        if constexpr (kImportance) {
            const F importance = V::load(in.importance[i]);
            weighted = V::mul(importance, w);
            weighted_level = V::mul(importance, l);
        }
        fit.wl = V::add(fit.wl, C::rounded(V::mul(weighted, l)));
        fit.ll = V::add(fit.ll, C::rounded(V::mul(weighted_level, l)));
    }
    return fit;
}

/// The scale of each q4 group.
template <class V, bool kImportance>
HEARTH_INLINE typename V::F search_scale(const GroupLanes<V>& in, typename V::F extreme) {
    using C = Codes<V>;
    Fits<V> best;
    for (const int end : {0, 15}) {
        for (const float stretch : kStretches) {
            const Fits<V> tried = fit_of<V, kImportance>(in, V::div(V::mul(V::set(stretch), extreme), V::set(level(end))));
            const auto better = V::less(best.gain(), tried.gain());
            best.wl = V::choose(better, tried.wl, best.wl);
            best.ll = V::choose(better, tried.ll, best.ll);
        }
    }
    return C::to_f16_and_back(fit_of<V, kImportance>(in, C::to_f16_and_back(best.scale())).scale());
}

/// Writes the codes of all groups. code_of(i): those of number i.
template <class V, class F>
HEARTH_INLINE void write_codes(QuantKind kind, int64_t groups, uint8_t* codes, F&& code_of) {
    uint8_t bytes[kQuantGroup][V::kLanes];
    for (int64_t i = 0; i < kQuantGroup; ++i) Codes<V>::store_bytes(code_of(i), bytes[i]);
    if (kind == QuantKind::kQ8) {
        for (int64_t g = 0; g < groups; ++g) {
            for (int64_t i = 0; i < kQuantGroup; ++i) codes[g * kQuantGroup + i] = bytes[i][g];
        }
        return;
    }
    for (int64_t g = 0; g < groups; ++g) {
        for (int64_t i = 0; i < kQuantGroup; i += 2)
            codes[(g * kQuantGroup + i) / 2] = static_cast<uint8_t>(bytes[i][g] | bytes[i + 1][g] << 4);
    }
}

template <class V>
bool quantize_groups(QuantKind kind, const float* w, int64_t groups, const float* importance, uint8_t* codes, F16* scales) noexcept {
    using C = Codes<V>;
    using F = typename V::F;
    GroupLanes<V> in;
    for (int64_t g = 0; g < V::kLanes; ++g) {
        const int64_t from = std::min(g, groups - 1) * kQuantGroup;  // lanes to spare repeat the last group
        for (int64_t i = 0; i < kQuantGroup; ++i) {
            in.w[i][g] = w[from + i];
            if (importance) in.importance[i][g] = importance[from + i];
        }
    }
    F extreme = V::load(in.w[0]);
    for (int64_t i = 1; i < kQuantGroup; ++i) {
        const F x = V::load(in.w[i]);
        extreme = V::choose(V::less(C::size(extreme), C::size(x)), x, extreme);
    }
    if (!C::all_usable(extreme)) return false;
    F16 halves[V::kLanes];
    if (kind == QuantKind::kQ8) {
        const F scale = C::to_f16_and_back(V::div(extreme, V::set(127))), inverse = inverse_of<V>(scale);
        C::store_f16(scale, halves);
        write_codes<V>(kind, groups, codes, [&](int64_t i) HEARTH_INLINED {
            const F u = V::mul(V::load(in.w[i]), inverse);
            return C::whole(C::low(V::set(127), V::max(V::set(-127), u)));
        });
    } else {
        const F scale = importance ? search_scale<V, true>(in, extreme) : search_scale<V, false>(in, extreme),
                inverse = inverse_of<V>(scale);
        C::store_f16(scale, halves);
        write_codes<V>(kind, groups, codes, [&](int64_t i) HEARTH_INLINED { return C::nearest(V::mul(V::load(in.w[i]), inverse)); });
    }
    std::memcpy(scales, halves, static_cast<size_t>(groups) * sizeof(F16));
    return true;
}

}  // namespace hearth::cpu
