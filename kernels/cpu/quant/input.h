// Inputs of an integer product: each row as int8 with one scale a group of 32.
#pragma once

#include <algorithm>

#include "base/checked.h"
#include "kernels/cpu/quant/int_dot.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/ops.h"
#include "kernels/scratch.h"
#include "kernels/weights/quant_panels.h"

namespace hearth::cpu {

/// Rows of x, in the order of a weight's columns, k padded with zeros to whole blocks. Scratch memory.
///     x[t][k] = scales[k / 32][t] * codes[t][k], codes from -127 to 127
struct QuantInput {
    int8_t* codes = nullptr;  // [T, stride]
    float* scales = nullptr;  // [groups, pitch]
    /// [groups, pitch], where there is an offset: what a group's integer sum begins with, that is -offset * the sum of its codes, plus
    /// kSumBaseBits but for SplitInput.
    int32_t* starts = nullptr;
    float* sums = nullptr;  // [groups, pitch]: the sum of its codes; where the weight has zero points
    int64_t stride = 0, pitch = 0, rows = 0, groups = 0;

    static HEARTH_INLINE QuantInput shape(int64_t tokens, int64_t k) {
        constexpr int64_t kLine = 64;
        QuantInput input;
        input.rows = tokens;
        input.groups = round_up(k, kBlockDepth) / kQuantGroup;
        input.stride = input.groups * kQuantGroup + kLine;  // a line more: rows must not fall into the same sets
        input.pitch = input.rows <= 16 ? input.rows : round_up<int64_t>(input.rows, 16) + 16;  // the same for groups
        return input;
    }
    /// `parts`: rows of codes for each row of x.
    HEARTH_INLINE size_t bytes(int64_t parts = 1) const {
        return scratch_bytes<int8_t>(parts * rows * stride) + 3 * scratch_bytes<float>(groups * pitch);
    }
    HEARTH_INLINE void take(Scratch& scratch, int64_t parts = 1) {
        codes = scratch.take<int8_t>(parts * rows * stride);
        scales = scratch.take<float>(groups * pitch);
        starts = scratch.take<int32_t>(groups * pitch);
        sums = scratch.take<float>(groups * pitch);
    }
};

/// A line of each of kRows rows into L1, where the next tile will look for it.
template <int kRows>
HEARTH_INLINE void fetch_rows(const int8_t* x, int64_t stride) {
    HEARTH_UNROLL for (int r = 0; r < kRows; ++r) _mm_prefetch(reinterpret_cast<const char*>(x + r * stride), _MM_HINT_T0);
}

#if defined(__AVX512F__)

/// 32 floats to codes; returns their scale. `sum`: of the codes. Sizes are compared as whole numbers, where not-a-number comes out above
/// all: it reaches the scale.
template <class V>
requires(V::kLanes == 16) HEARTH_INLINE float quantize_group(const float* x, int8_t* codes, int32_t& sum) {
    const __m512 a = V::load(x), b = V::load(x + 16);
    const __m512i size = _mm512_max_epu32(_mm512_slli_epi32(_mm512_castps_si512(a), 1), _mm512_slli_epi32(_mm512_castps_si512(b), 1));
    __m256i m = _mm256_max_epu32(_mm512_castsi512_si256(size), _mm512_extracti64x4_epi64(size, 1));
    m = _mm256_max_epu32(m, _mm256_permute2x128_si256(m, m, 1));
    m = _mm256_max_epu32(m, _mm256_shuffle_epi32(m, 0x4E));
    m = _mm256_max_epu32(m, _mm256_shuffle_epi32(m, 0xB1));
    const float largest = _mm_cvtss_f32(_mm_castsi128_ps(_mm_srli_epi32(_mm256_castsi256_si128(m), 1)));
    const float scale = largest * (1 / 127.0f), inverse = largest < 1e-30f ? 0 : 127 / largest;
    const __m512 by = V::set(inverse);
    const __m128i low = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(V::mul(a, by))),
                  high = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(V::mul(b, by)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(codes), low);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(codes + 16), high);
    const __m128i flip = _mm_set1_epi8(static_cast<char>(0x80)), none = _mm_setzero_si128();
    __m128i s = _mm_add_epi64(_mm_sad_epu8(_mm_xor_si128(low, flip), none), _mm_sad_epu8(_mm_xor_si128(high, flip), none));
    s = _mm_add_epi64(s, _mm_unpackhi_epi64(s, s));
    sum = _mm_cvtsi128_si32(s) - 128 * 32;
    return scale;
}

#elif defined(__AVX2__)

template <class V>
requires(V::kLanes == 8) HEARTH_INLINE float quantize_group(const float* x, int8_t* codes, int32_t& sum) {
    __m256 in[4];
    __m256i size = _mm256_setzero_si256();
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) {
        in[i] = V::load(x + 8 * i);
        size = _mm256_max_epu32(size, _mm256_slli_epi32(_mm256_castps_si256(in[i]), 1));
    }
    size = _mm256_max_epu32(size, _mm256_permute2x128_si256(size, size, 1));
    size = _mm256_max_epu32(size, _mm256_shuffle_epi32(size, 0x4E));
    size = _mm256_max_epu32(size, _mm256_shuffle_epi32(size, 0xB1));
    const float largest = _mm_cvtss_f32(_mm_castsi128_ps(_mm_srli_epi32(_mm256_castsi256_si128(size), 1)));
    const float scale = largest * (1 / 127.0f), inverse = largest < 1e-30f ? 0 : 127 / largest;
    __m256i whole[4];
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) whole[i] = _mm256_cvtps_epi32(V::mul(in[i], V::set(inverse)));
    const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(whole[0], whole[1]), _mm256_packs_epi32(whole[2], whole[3]));
    const __m256i out = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes), out);
    const __m256i s = _mm256_sad_epu8(_mm256_xor_si256(out, _mm256_set1_epi8(static_cast<char>(0x80))), _mm256_setzero_si256());
    const __m128i t = _mm_add_epi64(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    sum = _mm_cvtsi128_si32(_mm_add_epi64(t, _mm_unpackhi_epi64(t, t))) - 128 * 32;
    return scale;
}

#endif

/// Calls f(group, its 32 numbers) for all groups of row r of x, in the order of `columns` if there is one; zeros where x has no numbers.
template <class F>
HEARTH_INLINE void for_input_groups(const View<const float, 2>& x, const int32_t* columns, int64_t k, int64_t groups, int64_t r, F&& f) {
    const float* in = r < x.extent[0] ? x.row(r) : nullptr;
    for (int64_t g = 0; g < groups; ++g) {
        const int64_t begin = g * kQuantGroup, count = in ? std::clamp<int64_t>(k - begin, 0, kQuantGroup) : 0;
        alignas(64) float part[kQuantGroup];
        const float* from = in + begin;
        if (columns || count < kQuantGroup) {
            for (int64_t i = 0; i < kQuantGroup; ++i) part[i] = i < count ? in[columns ? columns[begin + i] : begin + i] : 0;
            from = part;
        }
        f(g, from);
    }
}

/// Rows [rows.begin, rows.end) of the input, those past the end of x as zeros; `zeros`: the weight has zero points.
template <class V>
void quantize_input(const View<const float, 2>& x, const int32_t* columns, int64_t k, bool zeros, const QuantInput& out, Range rows) {
    for (int64_t r = rows.begin; r < rows.end; ++r) {
        int8_t* codes = out.codes + r * out.stride;
        for_input_groups(x, columns, k, out.groups, r, [&](int64_t g, const float* from) HEARTH_INLINED {
            int32_t sum;
            out.scales[g * out.pitch + r] = quantize_group<V>(from, codes + g * kQuantGroup, sum);
            if (IntDot<V>::kOffset != 0) out.starts[g * out.pitch + r] = kSumBaseBits - IntDot<V>::kOffset * sum;
            if (zeros) out.sums[g * out.pitch + r] = static_cast<float>(sum);
        });
    }
}

}  // namespace hearth::cpu
