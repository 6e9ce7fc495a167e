// Softmax with a query in each of 16 lanes: no step goes across lanes, so a query has the same bits whatever its neighbours are.
//
// Scores come in units of log2: the scale of the queries holds log2(e), and exponentials are powers of two. A chunk of keys is known whole
// before its softmax begins, so there is one largest score and no rescaling within a chunk.
#pragma once

#include <cmath>

#include "base/checked.h"
#include "kernels/cpu/attention/ahead.h"
#include "kernels/cpu/attention/transpose.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/ops.h"

namespace hearth::cpu {

constexpr int64_t kLanes = 16;

/// 2^x for x <= 0 within 4e-6: 2^0 is 1 and 2^-infinity is 0, exactly. NaN stays NaN.
HEARTH_INLINE __m512 exp2_lanes(__m512 x) {
    const __m512 r = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);  // x - floor(x)
    __m512 p = _mm512_set1_ps(0.0134216305f);  // fitted for least relative error over [0, 1] with p(0) = 1
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.0522505695f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.241276445f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.693045311f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, x);  // times 2^floor(x)
}

/// What 16 queries subtract from their scores: the largest one, 0 where there is none.
HEARTH_INLINE __m512 shift_of(__m512 largest) {
    const __mmask16 none = _mm512_cmp_ps_mask(largest, _mm512_set1_ps(-INFINITY), _CMP_EQ_OQ);
    return _mm512_mask_blend_ps(none, largest, _mm512_setzero_ps());
}

/// The keys that 16 queries of rising positions see: of query i those of [begin[i], end[i]), counted from the chunk's first.
struct LaneKeys {
    alignas(64) int32_t begin[kLanes];
    alignas(64) int32_t end[kLanes];

    /// Of queries at `positions` in a chunk of `keys` keys from `first` on; window: 0 for none.
    LaneKeys(const int32_t* positions, int64_t first, int64_t keys, int64_t window) {
        const __m512i zero = _mm512_setzero_si512(), all = _mm512_set1_epi32(static_cast<int>(keys));
        const auto clamp = [&](__m512i key) HEARTH_INLINED { return _mm512_max_epi32(zero, _mm512_min_epi32(key, all)); };
        const __m512i past = _mm512_sub_epi32(_mm512_loadu_si512(positions), _mm512_set1_epi32(static_cast<int>(first - 1)));
        const __m512i seen = _mm512_set1_epi32(static_cast<int>(window));
        _mm512_store_si512(end, clamp(past));
        _mm512_store_si512(begin, window > 0 ? clamp(_mm512_sub_epi32(past, seen)) : zero);
    }

    Range blocks() const { return {begin[0] / kBlockTokens, (end[kLanes - 1] + kBlockTokens - 1) / kBlockTokens}; }  // some query sees
    bool all_see(int64_t block) const { return begin[kLanes - 1] <= block * kBlockTokens && end[0] >= (block + 1) * kBlockTokens; }
};

/// Scores [32][16] of a block: minus infinity where a query does not see the key.
static inline void hide_keys(const LaneKeys& keys, int64_t block, float* scores) {
    const __m512i begin = _mm512_load_si512(keys.begin), end = _mm512_load_si512(keys.end);
    for (int64_t i = 0; i < kBlockTokens; ++i) {
        const __m512i key = _mm512_set1_epi32(static_cast<int>(block * kBlockTokens + i));
        const __mmask16 seen = _mm512_cmple_epi32_mask(begin, key) & _mm512_cmplt_epi32_mask(key, end);
        _mm512_storeu_ps(scores + i * kLanes, _mm512_mask_blend_ps(seen, _mm512_set1_ps(-INFINITY), _mm512_loadu_ps(scores + i * kLanes)));
    }
}

/// The largest of scores [32][16] and `largest`; passes by NaN.
static inline __m512 largest_of(const float* scores, __m512 largest) {
    __m512 top[4] = {largest, largest, largest, largest};
    for (int64_t i = 0; i < kBlockTokens; i += 4) {
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) top[j] = _mm512_max_ps(_mm512_loadu_ps(scores + (i + j) * kLanes), top[j]);
    }
    return _mm512_max_ps(_mm512_max_ps(top[0], top[1]), _mm512_max_ps(top[2], top[3]));
}

/// Two vectors of non-negative numbers as pairs of bf16, rounded to nearest, ties up: even in the low half.
HEARTH_INLINE __m512i pair_bf16(__m512 even, __m512 odd) {
    const __m512i half = _mm512_set1_epi32(0x8000);
    const __m512i low = _mm512_srli_epi32(_mm512_add_epi32(_mm512_castps_si512(even), half), 16);
    return _mm512_mask_blend_epi16(0xAAAAAAAA, low, _mm512_add_epi32(_mm512_castps_si512(odd), half));
}

/// Sums of exponentials in four chains, one for every fourth key, over a chunk.
struct LaneSums {
    __m512 part[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    __m512 all() const { return _mm512_add_ps(_mm512_add_ps(part[0], part[1]), _mm512_add_ps(part[2], part[3])); }
};

/// Scores [32][16] become their exponentials as pairs of keys in bf16, [16][16][2], in place; adds the exponentials to `sums`.
static inline void soften_block(float* scores, __m512 shift, LaneSums& sums, Ahead& ahead, int64_t lines) {
    for (int64_t i = 0; i < kBlockTokens; i += 4) {
        ahead.fetch(lines);
        __m512 p[4];
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) {
            p[j] = exp2_lanes(_mm512_sub_ps(_mm512_loadu_ps(scores + (i + j) * kLanes), shift));
            sums.part[j] = _mm512_add_ps(sums.part[j], p[j]);
        }
        _mm512_storeu_si512(scores + i / 2 * kLanes, pair_bf16(p[0], p[1]));
        _mm512_storeu_si512(scores + (i / 2 + 1) * kLanes, pair_bf16(p[2], p[3]));
    }
}

/// Softmax so far of 16 queries. In memory: [2 + depth][16], largest scores first, then sums, then values weighted by exponentials.
struct LaneState {
    float* data = nullptr;

    static constexpr int64_t size(int64_t depth) { return (2 + depth) * kLanes; }
    float* values() const { return data + 2 * kLanes; }

    void clear(int64_t depth) const {
        _mm512_storeu_ps(data, _mm512_set1_ps(-INFINITY));
        for (int64_t i = 1; i < 2 + depth; ++i) _mm512_storeu_ps(data + i * kLanes, _mm512_setzero_ps());
    }
    /// Adds the state of later keys.
    void merge(const LaneState& from, int64_t depth) const {
        const __m512 mine = _mm512_loadu_ps(data), theirs = _mm512_loadu_ps(from.data);
        const __m512 top = _mm512_max_ps(mine, theirs), shift = shift_of(top);
        const __m512 keep = exp2_lanes(_mm512_sub_ps(mine, shift)), add = exp2_lanes(_mm512_sub_ps(theirs, shift));
        _mm512_storeu_ps(data, top);
        for (int64_t i = 1; i < 2 + depth; ++i) {
            const __m512 sum = _mm512_mul_ps(_mm512_loadu_ps(data + i * kLanes), keep);
            _mm512_storeu_ps(data + i * kLanes, _mm512_fmadd_ps(_mm512_loadu_ps(from.data + i * kLanes), add, sum));
        }
    }
    /// Values over sums of queries [0, count) to y(query), `d` numbers each; depth: d rounded up to 16.
    template <class Row>
    void finish(int64_t d, int64_t count, Row&& y) const {
        const __m512 scale = _mm512_div_ps(_mm512_set1_ps(1), _mm512_loadu_ps(data + kLanes));
        for (int64_t i = 0; i < d; i += kLanes) {
            __m512i x[16];
            HEARTH_UNROLL for (int r = 0; r < 16; ++r) {
                x[r] = _mm512_castps_si512(_mm512_mul_ps(_mm512_loadu_ps(values() + (i + r) * kLanes), scale));
            }
            transpose_square(x);
            alignas(64) float turned[16][16];
            HEARTH_UNROLL for (int r = 0; r < 16; ++r) _mm512_store_si512(turned[r], x[r]);
            for (int64_t r = 0; r < count; ++r) Avx512::store(y(r) + i, Avx512::load(turned[r]), d - i);
        }
    }
};

}  // namespace hearth::cpu
