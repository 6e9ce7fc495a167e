// Attention by FMA for many rows: lanes are rows, and what is of a key is broadcast.
//
// Keys and values of a chunk are widened once for all rows of a unit and laid out so that what is broadcast lies side by side. Nothing is
// turned but queries and results, no step of the softmax goes across lanes, and sums of products stay in registers over all of d, or all
// keys of a chunk. A score is one chain in order of d, a weighted value one chain in order of keys, exponentials are summed in as many
// chains as a vector has lanes, by key: as with few rows (few_rows.h), where lanes are keys, then numbers of the head. So a row has the
// same bits in both.
#pragma once

#include "kernels/cpu/attention/chunk.h"
#include "kernels/cpu/attention/exp2.h"
#include "kernels/cpu/attention/transpose.h"
#include "kernels/cpu/attention/words.h"
#include "kernels/cpu/per_token/codes.h"

namespace hearth::cpu {

/// The keys of a chunk that the rows of a vector see: [begin, end) each, and what all of them see.
template <class V>
struct RowKeys {
    typename V::F begin, end;
    Range all;
};

template <class V, class T>
struct ManyRows {
    using F = typename V::F;
    static constexpr int64_t kLanes = V::kLanes, kTiles = 3;  // vectors of rows side by side
    static constexpr int64_t kGroup = 8, kLine = 16;          // keys and numbers that lie side by side

    template <int kVectors>
    static constexpr int kStep = V::kLanes == 16 || kVectors == 1 ? 8 : 4;  // of keys or numbers that are broadcast

    static constexpr int64_t width(int64_t d) { return round_up(d, kLine); }

    /// A vector of queries, row[0] to row[count - 1], times scale: [width][lanes].
    static void load_queries(const float* const* row, int64_t count, int64_t d, float scale, float* out) {
        for (int64_t i = 0; i < width(d); i += kLanes) {
            WordVector x[V::kLanes];
            HEARTH_UNROLL for (int r = 0; r < V::kLanes; ++r) {
                x[r] = as_words(r < count ? V::mul(V::load(row[r] + i, d - i), V::set(scale)) : V::zero());
            }
            transpose_square(x);
            HEARTH_UNROLL for (int r = 0; r < V::kLanes; ++r) V::store(out + (i + r) * kLanes, as_floats(x[r]));
        }
    }

    static HEARTH_INLINE F widen(const T* p, int64_t n) {
        if constexpr (std::is_same_v<T, int8_t>) {
            return load_codes(p, n);
        } else {
            return n >= kLanes ? V::load(p) : V::load(p, n);
        }
    }
    /// Keys as [keys/8][width/16][8][16], values as [width/16][keys][16].
    static void widen_block(const ChunkPages<T>& pages, int64_t b, int64_t d, float* keys, float* values) {
        const T *k = pages.block[b].keys, *v = pages.block[b].values;
        const int64_t seen = pages.keys_in(b);
        for (int64_t key = b * kBlockTokens; key < (b + 1) * kBlockTokens; ++key, k += pages.stride, v += pages.stride) {
            for (int64_t i = 0; i < width(d); i += kLanes) {
                V::store(keys + key / kGroup * kGroup * width(d) + (i / kLine * kGroup + key % kGroup) * kLine + i % kLine,
                         widen(k + i, d - i));
                if (key < b * kBlockTokens + seen)
                    V::store(values + (i / kLine * kChunkKeys + key) * kLine + i % kLine, widen(v + i, d - i));
            }
        }
    }

    /// scores[vector][keys][lanes] = key . queries[vector][width][lanes] for kStep keys.
    template <int kVectors>
    static HEARTH_INLINE void score_keys(const float* keys, const float* queries, int64_t width, float* scores, Ahead& ahead,
                                         int64_t lines) {
        constexpr int kKeys = kStep<kVectors>;
        F acc[kKeys][kVectors];
        HEARTH_UNROLL for (int key = 0; key < kKeys; ++key) { HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[key][v] = V::zero(); }
        const float* q[kVectors];
        for (int v = 0; v < kVectors; ++v) q[v] = queries + v * width * kLanes;
        for (int64_t line = 0; line < width; line += kLine, keys += kGroup * kLine) {
            ahead.fetch_turns(lines);
            HEARTH_UNROLL for (int key = 0; key < kKeys; ++key) _mm_prefetch(keys + (kGroup + key) * kLine, _MM_HINT_T0);
            for (int64_t i = 0; i < kLine; ++i) {
                F in[kVectors];
                HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) in[v] = V::load(q[v] + (line + i) * kLanes);
                HEARTH_UNROLL for (int key = 0; key < kKeys; ++key) {
                    const F k = V::set(keys[key * kLine + i]);
                    HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[key][v] = V::fma(k, in[v], acc[key][v]);
                }
            }
        }
        HEARTH_UNROLL for (int key = 0; key < kKeys; ++key) {
            HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) V::store(scores + (v * kChunkKeys + key) * kLanes, acc[key][v]);
        }
    }

    /// A vector of rows' scores [keys][lanes], whole vectors of keys that begin with a block, become what values are weighted by; largest
    /// and sum to state[2][lanes].
    static void soften(const ChunkPages<T>& pages, Range keys, const RowKeys<V>& see, float* scores, float* state) {
        const F none = V::set(-INFINITY);
        F top = none;
        for (int64_t begin = keys.begin; begin < keys.end; begin += kLanes) {
            const bool all = see.all.begin <= begin && see.all.end >= begin + kLanes;
            if (all && !Words<V, T>::kCodes) {
                top = V::max(largest_of(scores + begin * kLanes), top);
                continue;
            }
            for (int64_t key = begin; key < begin + kLanes; ++key) {
                F s = V::load(scores + key * kLanes);
                if constexpr (Words<V, T>::kCodes) s = V::mul(s, V::set(pages.block[begin / kBlockTokens].key_scales[key % kBlockTokens]));
                const F index = V::set(static_cast<float>(key));
                if (!all) s = V::choose(V::less(index, see.begin), none, V::choose(V::less(index, see.end), s, none));
                V::store(scores + key * kLanes, s);
                top = V::max(s, top);
            }
        }
        const F shift = shift_of<V>(top);
        F sums[V::kLanes];
        for (F& sum : sums) sum = V::zero();
        for (int64_t key = keys.begin; key < keys.end; key += kLanes) {
            HEARTH_UNROLL for (int i = 0; i < V::kLanes; ++i) {
                F p = exp2<V>(V::sub(V::load(scores + (key + i) * kLanes), shift));
                sums[i] = V::add(sums[i], p);
                if constexpr (Words<V, T>::kCodes)
                    p = V::mul(p, V::set(pages.block[key / kBlockTokens].value_scales[key % kBlockTokens + i]));
                V::store(scores + (key + i) * kLanes, p);
            }
        }
        halving_sums<V>(sums);
        V::store(state, top);
        V::store(state + kLanes, sums[0]);
    }

    /// out[vector] [numbers][lanes] = values [keys][16] . weights[vector][keys][lanes] over keys, for kStep numbers.
    template <int kVectors>
    static HEARTH_INLINE void weigh_numbers(const float* values, Range keys, const float* weights, float* const* out, Ahead& ahead,
                                            int64_t lines) {
        constexpr int kNumbers = kStep<kVectors>;
        F acc[kNumbers][kVectors];
        HEARTH_UNROLL for (int i = 0; i < kNumbers; ++i) { HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[i][v] = V::zero(); }
        for (int64_t key = keys.begin; key < keys.end; ++key) {
            if (key % 16 == 0) ahead.fetch_turns(lines);
            _mm_prefetch(values + (key + 16) * kLine, _MM_HINT_T0);
            F p[kVectors];
            HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) p[v] = V::load(weights + (v * kChunkKeys + key) * kLanes);
            HEARTH_UNROLL for (int i = 0; i < kNumbers; ++i) {
                const F x = V::set(values[key * kLine + i]);
                HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[i][v] = V::fma(x, p[v], acc[i][v]);
            }
        }
        HEARTH_UNROLL for (int i = 0; i < kNumbers; ++i) {
            HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) V::store(out[v] + i * kLanes, acc[i][v]);
        }
    }

    /// y[r] = values / sum of a state's first `count` rows.
    static void divide(const float* state, int64_t d, int64_t count, float* const* y) {
        const F inverse = V::div(V::set(1), V::load(state + kLanes));
        for (int64_t i = 0; i < d; i += kLanes) {
            WordVector x[V::kLanes];
            HEARTH_UNROLL for (int r = 0; r < V::kLanes; ++r) { x[r] = as_words(V::mul(V::load(state + (2 + i + r) * kLanes), inverse)); }
            transpose_square(x);
            alignas(64) float turned[kLanes][kLanes];
            HEARTH_UNROLL for (int r = 0; r < V::kLanes; ++r) V::store(turned[r], as_floats(x[r]));
            for (int64_t r = 0; r < count; ++r) V::store(y[r] + i, V::load(turned[r]), d - i);
        }
    }

private:
    static F largest_of(const float* scores) {
        F top[4];
        HEARTH_UNROLL for (int j = 0; j < 4; ++j) top[j] = V::load(scores + j * kLanes);
        for (int64_t i = 4; i < kLanes; i += 4)
            HEARTH_UNROLL for (int j = 0; j < 4; ++j) top[j] = V::max(V::load(scores + (i + j) * kLanes), top[j]);
        return V::max(V::max(top[0], top[1]), V::max(top[2], top[3]));
    }
};

}  // namespace hearth::cpu
