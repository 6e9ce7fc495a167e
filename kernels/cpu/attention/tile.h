// One tile of attention: up to 64 rows of queries of one KV head against blocks of 32 keys, with an online softmax.
//
// A row is a (token, query head) pair; all query heads of the KV head share the keys. Per block: the keys are turned so that lanes are keys
// (words of two bf16, or floats), the values widened once; then for each row 32 scores, their exponentials, and values weighted by them.
// Order of summation: scores in order of d, values in order of keys, blocks in order within a chunk of kChunkBlocks at absolute positions,
// chunks merged in order. Rows never mix, so a row has the same bits whatever else is in the tile, the step or the split.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "base/checked.h"
#include "kernels/cpu/attention/transpose.h"
#include "kernels/cpu/rows/codes.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/ops.h"
#include "kernels/scratch.h"

namespace hearth::cpu {

constexpr int64_t kTileRows = 64;
constexpr int64_t kChunkBlocks = 8;  // 256 keys

/// Softmax so far of some rows: largest score, sum of exponentials, values weighted by them.
struct SoftmaxState {
    float* largest = nullptr;  // [rows]
    float* sum = nullptr;      // [rows]; 0: no key yet
    float* acc = nullptr;      // [rows, width]
};

/// e^x of one number, by the same polynomial.
template <class V>
float exp_one(float x) {
    alignas(64) float lanes[V::kLanes];
    V::store(lanes, exp<V>(V::set(x)));
    return lanes[0];
}

/// Head size rounded up to whole vectors of any width.
constexpr int64_t padded_dim(int64_t d) { return round_up<int64_t>(d, 16); }

/// The scratch of one thread.
struct TileScratch {
    float *q, *keys, *values, *scores;  // [64, d] scaled; [d, 32] or [d/2, 32] pairs; [32, width]; [64, 32]
    float* factors;                     // [64]
    Bf16* codes;                        // [32, d]: keys of a q8 cache before they are turned
    SoftmaxState chunk, total;

    static size_t bytes(int64_t d) {
        const int64_t width = padded_dim(d);
        return scratch_bytes<float>(kTileRows * d) + scratch_bytes<float>(d * kBlockTokens) + scratch_bytes<float>(kBlockTokens * width) +
               scratch_bytes<float>(kTileRows * kBlockTokens) + 5 * scratch_bytes<float>(kTileRows) +
               scratch_bytes<Bf16>(kBlockTokens * d) + 2 * scratch_bytes<float>(kTileRows * width);
    }
    static TileScratch take(Scratch& scratch, int64_t d) {
        const int64_t width = padded_dim(d);
        const auto state = [&]() -> SoftmaxState {
            return {scratch.take<float>(kTileRows), scratch.take<float>(kTileRows), scratch.take<float>(kTileRows * width)};
        };
        TileScratch s{};
        s.q = scratch.take<float>(kTileRows * d);
        s.keys = scratch.take<float>(d * kBlockTokens);
        s.values = scratch.take<float>(kBlockTokens * width);
        s.scores = scratch.take<float>(kTileRows * kBlockTokens);
        s.factors = scratch.take<float>(kTileRows);
        s.codes = scratch.take<Bf16>(kBlockTokens * d);
        s.chunk = state();
        s.total = state();
        return s;
    }
};

/// Adds the state `from` of a row, over later keys, to `to`.
template <class V>
void merge_row(float from_largest, float from_sum, const float* from, float& largest, float& sum, float* acc, int64_t width) {
    if (from_sum == 0) return;
    const float top = from_largest > largest ? from_largest : largest;
    const float keep = sum == 0 ? 0 : exp_one<V>(largest - top), add = exp_one<V>(from_largest - top);
    largest = top;
    sum = sum * keep + from_sum * add;
    const auto k = V::set(keep), a = V::set(add);
    for (int64_t i = 0; i < width; i += V::kLanes) V::store(acc + i, V::fma(V::load(acc + i), k, V::mul(V::load(from + i), a)));
}

template <class V>
void divide_row(const float* acc, float sum, int64_t d, float* y) {
    const auto divisor = V::set(sum);
    for (int64_t i = 0; i < d; i += V::kLanes) V::store(y + i, V::div(V::load(acc + i), divisor), d - i);
}

/// The steps on one block, for keys and values of type T.
template <class V, class T>
struct TileSteps {
    using F = typename V::F;
    static constexpr bool kCodes = std::is_same_v<T, int8_t>, kPairs = kCodes || sizeof(T) == 2;  // codes become bf16, exactly
    static constexpr int kKeyVectors = kBlockTokens / V::kLanes;
    static constexpr int kScoreRows = kKeyVectors == 2 ? 8 : 2;  // rows whose scores stay in registers
    static constexpr int kValueRows = kKeyVectors == 2 ? 4 : 3, kValueVectors = kKeyVectors == 2 ? 4 : 3;

    static void widen_values(const T* values, const float* scales, int64_t d, int64_t keys, float* out) {
        const int64_t width = padded_dim(d);
        for (int64_t key = 0; key < keys; ++key) {
            for (int64_t i = 0; i < width; i += V::kLanes) {
                if constexpr (kCodes) {
                    V::store(out + key * width + i,
                             i < d ? V::mul(load_codes(values + key * d + i, d - i), V::set(scales[key])) : V::zero());
                } else {
                    V::store(out + key * width + i, d - i >= V::kLanes ? V::load(values + key * d + i)
                                                    : i < d            ? V::load(values + key * d + i, d - i)
                                                                       : V::zero());
                }
            }
        }
    }

    /// A block's keys, turned so that lanes are keys; those of a q8 cache still want their scales.
    static void turn_keys(const T* keys, int64_t d, const TileScratch& t) {
        const void* rows = keys;
        if constexpr (kCodes) {
            for (int64_t i = 0; i < kBlockTokens * d; i += V::kLanes)
                V::store(t.codes + i, load_codes(keys + i, kBlockTokens * d - i), kBlockTokens * d - i);
            rows = t.codes;
        }
        transpose_keys(static_cast<const uint32_t*>(rows), d * (kPairs ? 2 : 4) / 4, reinterpret_cast<uint32_t*>(t.keys));
    }

    /// scores[row][32] = q[row] . key for kRows rows.
    template <int kRows>
    static HEARTH_INLINE void score_rows(const float* q, const float* keys, int64_t d, float* scores) {
        F acc[kRows][kKeyVectors];
        unroll<kRows>([&](auto r) __attribute__((always_inline)) {
            unroll<kKeyVectors>([&](auto v) __attribute__((always_inline)) { acc[r][v] = V::zero(); });
        });
        const auto step = [&](const auto& key_vector, int64_t at) __attribute__((always_inline)) {
            F k[kKeyVectors];
            unroll<kKeyVectors>([&](auto v) __attribute__((always_inline)) { k[v] = key_vector(v * V::kLanes); });
            unroll<kRows>([&](auto r) __attribute__((always_inline)) {
                const F in = V::set(q[r * d + at]);
                unroll<kKeyVectors>([&](auto v) __attribute__((always_inline)) { acc[r][v] = V::fma(in, k[v], acc[r][v]); });
            });
        };
        for (int64_t i = 0; i < d; i += kPairs ? 2 : 1, keys += kBlockTokens) {
            if constexpr (kPairs) {
                step(
                    [&](int64_t o) __attribute__((always_inline)) { return V::load_even(keys + o); }, i);
                step(
                    [&](int64_t o) __attribute__((always_inline)) { return V::load_odd(keys + o); }, i + 1);
            } else {
                step(
                    [&](int64_t o) __attribute__((always_inline)) { return V::load(keys + o); }, i);
            }
        }
        unroll<kRows>([&](auto r) __attribute__((always_inline)) {
            unroll<kKeyVectors>([&](auto v)
                                    __attribute__((always_inline)) { V::store(scores + r * kBlockTokens + v * V::kLanes, acc[r][v]); });
        });
    }

    static void score(const float* q, const float* keys, int64_t d, Range rows, float* scores) {
        int64_t r = rows.begin;
        for (; r + kScoreRows <= rows.end; r += kScoreRows) score_rows<kScoreRows>(q + r * d, keys, d, scores + r * kBlockTokens);
        for (; r + 2 <= rows.end; r += 2) score_rows<2>(q + r * d, keys, d, scores + r * kBlockTokens);
        if (r < rows.end) score_rows<1>(q + r * d, keys, d, scores + r * kBlockTokens);
    }

    /// The scores of one row, of which keys [visible.begin, visible.end) count, become exponentials; returns by what the row's past
    /// shrinks.
    static float soften(float* scores, const float* key_scales, Range visible, float& largest, float& sum) {
        F s[kKeyVectors];
        const F begin = V::set(static_cast<float>(visible.begin)), end = V::set(static_cast<float>(visible.end)), none = V::set(-INFINITY);
        F top = V::set(largest);
        for (int v = 0; v < kKeyVectors; ++v) {
            s[v] = V::load(scores + v * V::kLanes);
            if constexpr (kCodes) s[v] = V::mul(s[v], V::load(key_scales + v * V::kLanes));
            if (visible.size() < kBlockTokens) {
                const F index = V::add(V::index(), V::set(static_cast<float>(v * V::kLanes)));
                s[v] = V::choose(V::less(index, begin), none, V::choose(V::less(index, end), s[v], none));
            }
            top = V::max(top, s[v]);
        }
        const float now = V::largest(top);
        const F shift = V::set(now);
        F all = V::zero();
        for (int v = 0; v < kKeyVectors; ++v) {
            s[v] = exp<V>(V::sub(s[v], shift));
            V::store(scores + v * V::kLanes, s[v]);
            all = V::add(all, s[v]);
        }
        const float factor = now == largest ? 1.0f : exp_one<V>(largest - now);
        largest = now;
        sum = sum * factor + V::sum(all);
        return factor;
    }

    /// acc[row] = acc[row] * factor[row] + scores[row] . values for kRows rows and kVectors vectors of d.
    template <int kRows, int kVectors>
    static HEARTH_INLINE void weigh_rows(const float* scores, const float* factors, const float* values, int64_t width, int64_t keys,
                                         float* acc) {
        F sum[kRows][kVectors];
        unroll<kRows>([&](auto r) __attribute__((always_inline)) {
            const F factor = V::set(factors[r]);
            unroll<kVectors>([&](auto v)
                                 __attribute__((always_inline)) { sum[r][v] = V::mul(V::load(acc + r * width + v * V::kLanes), factor); });
        });
        for (int64_t key = 0; key < keys; ++key, values += width) {
            F x[kVectors];
            unroll<kVectors>([&](auto v) __attribute__((always_inline)) { x[v] = V::load(values + v * V::kLanes); });
            unroll<kRows>([&](auto r) __attribute__((always_inline)) {
                const F p = V::set(scores[r * kBlockTokens + key]);
                unroll<kVectors>([&](auto v) __attribute__((always_inline)) { sum[r][v] = V::fma(p, x[v], sum[r][v]); });
            });
        }
        unroll<kRows>([&](auto r) __attribute__((always_inline)) {
            unroll<kVectors>([&](auto v) __attribute__((always_inline)) { V::store(acc + r * width + v * V::kLanes, sum[r][v]); });
        });
    }

    template <int kVectors>
    static void weigh_columns(const TileScratch& t, int64_t width, int64_t keys, int64_t column, Range rows) {
        const auto some = [&](auto count, int64_t r) __attribute__((always_inline)) {
            weigh_rows<count, kVectors>(t.scores + r * kBlockTokens, t.factors + r, t.values + column, width, keys,
                                        t.chunk.acc + r * width + column);
        };
        int64_t r = rows.begin;
        for (; r + kValueRows <= rows.end; r += kValueRows) some(std::integral_constant<int, kValueRows>{}, r);
        for (; r < rows.end; ++r) some(std::integral_constant<int, 1>{}, r);
    }

    static void weigh(const TileScratch& t, int64_t width, int64_t keys, Range rows) {
        int64_t column = 0;
        for (; column + kValueVectors * V::kLanes <= width; column += kValueVectors * V::kLanes)
            weigh_columns<kValueVectors>(t, width, keys, column, rows);
        for (; column < width; column += V::kLanes) weigh_columns<1>(t, width, keys, column, rows);
    }
};

}  // namespace hearth::cpu
