// Attention by FMA for few rows: eight at most, as one token has of a KV head.
//
// Scores: lanes are keys. A block's keys are turned as words (words.h), which is a shuffle for each word and nothing for each row; then
// each row has a chain of FMAs in order of d. Values: lanes are numbers of the head, straight from the pages, in order of keys. So a row
// has the sums that it has among many rows (many_rows.h), where lanes are rows: see there.
#pragma once

#include "kernels/cpu/attention/chunk.h"
#include "kernels/cpu/attention/exp2.h"
#include "kernels/cpu/attention/transpose.h"
#include "kernels/cpu/attention/words.h"

namespace hearth::cpu {

/// Calls f(std::integral_constant<int, count>, first) for runs of rows that make up [0, rows): kMost each, then half as many.
template <int kMost, class F>
HEARTH_INLINE void for_row_groups(int64_t rows, F&& f) {
    int64_t r = 0;
    const auto some = [&](auto count) HEARTH_INLINED {
        for (; r + count <= rows; r += count) f(count, r);
    };
    some(std::integral_constant<int, kMost>{});
    if constexpr (kMost > 4) some(std::integral_constant<int, 4>{});
    if constexpr (kMost > 2) some(std::integral_constant<int, 2>{});
    some(std::integral_constant<int, 1>{});
}

template <class V, class T>
struct FewRows {
    using F = typename V::F;
    using W = Words<V, T>;
    static constexpr int64_t kRows = 8;
    static constexpr int kSums = V::kLanes == 16 ? 16 : 8;  // that stay in registers
    static constexpr int kTogether = V::kLanes / 2;         // rows

    static constexpr int64_t query_size(int64_t d) { return W::count(d) * W::kNumbers; }
    /// Of a row's weighted values: whole vectors of words, each taken apart.
    static constexpr int64_t value_size(int64_t d) { return round_up<int64_t>(W::count(d), V::kLanes) * W::kNumbers; }

    /// A row of queries, made up for what codes come out too large by, to out[query_size][kRows].
    static void load_query(const float* q, int64_t d, float scale, float* out) {
        for (int64_t i = 0; i < query_size(d); ++i) out[i * kRows] = i < d ? q[i] * scale * (1 / W::excess(i)) : 0;
    }

    /// How many lines to fetch in each call, so that all are asked for evenly over the time that a chunk takes.
    struct Pace {
        int64_t turn, score, weigh;

        Pace(int64_t lines, int64_t rows, int64_t d) {
            const int64_t words = W::count(d), columns = ceil_div<int64_t>(words, V::kLanes);
            int64_t scores = 0, weights = 0, left = rows;
            for (int64_t count = kTogether; count > 0; left %= count, count /= 2) {
                scores += left / count * (count == 1 ? 1 : kBlockTokens / V::kLanes / 2);
                weights += left / count * W::kRounds * ceil_div(columns, std::clamp<int64_t>(kSums / count / W::kTaken, 1, 4));
            }
            const auto share = [&](int64_t percent, int64_t calls) { return lines * percent / 100 / calls + 1; };
            turn = share(30, kChunkKeys / V::kLanes * columns);
            score = share(30, kChunkBlocks * ceil_div<int64_t>(words, 8) * scores);
            weigh = share(40, kChunkKeys / 8 * weights);
        }
    };

    /// scores[row][kChunkKeys] = q . key for kCount rows and kVectors vectors of a block's keys.
    template <int kCount, int kVectors>
    static HEARTH_INLINE void score_rows(const float* q, const uint32_t* turned, int64_t words, float* scores, Ahead& ahead,
                                         int64_t lines) {
        F acc[kCount][kVectors];
        unroll<kCount>([&](auto r) HEARTH_INLINED { unroll<kVectors>([&](auto v) HEARTH_INLINED { acc[r][v] = V::zero(); }); });
        for (int64_t w = 0; w < words; ++w, turned += kBlockTokens, q += W::kNumbers * kRows) {
            if (w % 8 == 0) ahead.fetch_turns(lines);
            unroll<W::kRounds>([&](auto round) HEARTH_INLINED {
                unroll<W::kTaken>([&](auto i) HEARTH_INLINED {
                    F k[kVectors];
                    unroll<kVectors>([&](auto v) HEARTH_INLINED {
                        auto x = load_words(turned + v * V::kLanes);
                        if constexpr (round > 0) x = upper_halves(x);
                        k[v] = W::take(i, x);
                    });
                    unroll<kCount>([&](auto r) HEARTH_INLINED {
                        const F in = V::set(q[(round * 2 + i) * kRows + r]);
                        unroll<kVectors>([&](auto v) HEARTH_INLINED { acc[r][v] = V::fma(in, k[v], acc[r][v]); });
                    });
                });
            });
        }
        unroll<kCount>([&](auto r) HEARTH_INLINED {
            unroll<kVectors>([&](auto v) HEARTH_INLINED { V::store(scores + r * kChunkKeys + v * V::kLanes, acc[r][v]); });
        });
    }

    /// Scores of a block for all rows; `turned`: scratch of [words][32].
    static void score(const T* keys, const float* q, int64_t rows, int64_t d, uint32_t* turned, float* scores, Ahead& ahead,
                      const Pace& pace) {
        const int64_t words = W::count(d);
        transpose_keys(reinterpret_cast<const uint32_t*>(keys), words, turned, [&]() HEARTH_INLINED { ahead.fetch_turns(pace.turn); });
        for_row_groups<kTogether>(rows, [&](auto count, int64_t r) HEARTH_INLINED {
            constexpr int kVectors = count == 1 ? kBlockTokens / V::kLanes : 2;
            for (int64_t key = 0; key < kBlockTokens; key += kVectors * V::kLanes)
                score_rows<count, kVectors>(q + r, turned + key, words, scores + r * kChunkKeys + key, ahead, pace.score);
        });
    }

    /// A row's scores of the chunk's blocks become what its values are weighted by; `visible`: the keys that it sees, within the chunk.
    static void soften(const ChunkPages<T>& pages, Range visible, float* scores, float& largest, float& sum) {
        const int64_t begin = pages.blocks.begin * kBlockTokens, end = pages.blocks.end * kBlockTokens;
        const F from = V::set(static_cast<float>(visible.begin)), to = V::set(static_cast<float>(visible.end)), none = V::set(-INFINITY);
        F top = none;
        for (int64_t i = begin; i < end; i += V::kLanes) {
            F s = V::load(scores + i);
            if constexpr (W::kCodes) s = V::mul(s, V::load(pages.block[i / kBlockTokens].key_scales + i % kBlockTokens));
            if (i < visible.begin || i + V::kLanes > visible.end) {
                const F index = V::add(V::index(), V::set(static_cast<float>(i)));
                s = V::choose(V::less(index, from), none, V::choose(V::less(index, to), s, none));
            }
            V::store(scores + i, s);
            top = V::max(s, top);
        }
        largest = V::largest(top);
        const F shift = shift_of<V>(V::set(largest));
        F all = V::zero();
        for (int64_t i = begin; i < end; i += V::kLanes) {
            F p = exp2<V>(V::sub(V::load(scores + i), shift));
            all = V::add(all, p);
            if constexpr (W::kCodes) p = V::mul(p, V::load(pages.block[i / kBlockTokens].value_scales + i % kBlockTokens));
            V::store(scores + i, p);
        }
        sum = halving_sum<V>(all);
    }

    /// acc[row] = weights . values for kCount rows and kColumns vectors of words from `column` on, in round `round` of taking them apart.
    template <int kCount, int kColumns, int kRound>
    static HEARTH_INLINE void weigh_rows(const ChunkPages<T>& pages, const float* weights, int64_t d, int64_t column, float* acc,
                                         Ahead& ahead, int64_t lines) {
        F sum[kCount][kColumns][W::kTaken];
        unroll<kCount>([&](auto r) HEARTH_INLINED {
            unroll<kColumns>([&](auto c) HEARTH_INLINED { unroll<W::kTaken>([&](auto i) HEARTH_INLINED { sum[r][c][i] = V::zero(); }); });
        });
        const int64_t left = W::count(d) - column * V::kLanes;
        const bool whole = kColumns > 1 || left >= V::kLanes;
        for (int64_t b = pages.blocks.begin; b < pages.blocks.end; ++b) {
            const T* values = pages.block[b].values + column * V::kLanes * W::kNumbers;
            const float* p = weights + b * kBlockTokens;
            for (int64_t keys = pages.keys_in(b); keys > 0; --keys, values += pages.stride, ++p) {
                if (keys % 8 == 0) ahead.fetch_turns(lines);
                unroll<kColumns>([&](auto c) HEARTH_INLINED {
                    auto x = whole ? load_words(values + c * V::kLanes * W::kNumbers) : load_words(values, left);
                    if constexpr (kRound > 0) x = upper_halves(x);
                    unroll<W::kTaken>([&](auto i) HEARTH_INLINED {
                        const F v = W::take(i, x);
                        unroll<kCount>([&](auto r) HEARTH_INLINED { sum[r][c][i] = V::fma(V::set(p[r * kChunkKeys]), v, sum[r][c][i]); });
                    });
                });
            }
        }
        unroll<kCount>([&](auto r) HEARTH_INLINED {
            unroll<kColumns>([&](auto c) HEARTH_INLINED {
                unroll<W::kTaken>([&](auto i) HEARTH_INLINED {
                    V::store(acc + r * value_size(d) + ((column + c) * W::kNumbers + kRound * 2 + i) * V::kLanes, sum[r][c][i]);
                });
            });
        });
    }

    static void weigh(const ChunkPages<T>& pages, const float* weights, int64_t rows, int64_t d, float* acc, Ahead& ahead, int64_t lines) {
        const int64_t whole = W::count(d) / V::kLanes, columns = ceil_div<int64_t>(W::count(d), V::kLanes);
        for_row_groups<kTogether>(rows, [&](auto count, int64_t r) HEARTH_INLINED {
            unroll<W::kRounds>([&](auto round) HEARTH_INLINED {
                int64_t column = 0;
                const auto some = [&](auto width, int64_t end) HEARTH_INLINED {
                    for (; column + width <= end; column += width)
                        weigh_rows<count, width, round>(pages, weights + r * kChunkKeys, d, column, acc + r * value_size(d), ahead, lines);
                };
                constexpr int kMost = kSums / count / W::kTaken;
                if constexpr (kMost >= 4) some(std::integral_constant<int, 4>{}, whole);
                if constexpr (kMost >= 2) some(std::integral_constant<int, 2>{}, whole);
                some(std::integral_constant<int, 1>{}, columns);
            });
        });
    }

    /// y = acc / sum, in order of d.
    static void divide(const float* acc, float sum, int64_t d, float* y) {
        const float inverse = 1 / sum;
        for (int64_t i = 0; i < d; ++i) {
            const int64_t word = i / W::kNumbers, number = i % W::kNumbers, vector = word / V::kLanes * W::kNumbers + number;
            y[i] = acc[vector * V::kLanes + word % V::kLanes] * (1 / W::excess(number)) * inverse;
        }
    }
};

}  // namespace hearth::cpu
