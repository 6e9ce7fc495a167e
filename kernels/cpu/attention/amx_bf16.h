// Steps of attention in tiles, for a cache of bf16: 16 queries against a chunk of keys.
//
// Scores transposed, S^T = K Q^T: the keys are the first operand as they lie in the cache, 16 keys times 32 numbers a tile; the queries the
// second, packed once. So a column is a query, and its softmax stays in its lane (lanes.h). Exponentials come out as the second operand
// of O^T = V^T P^T: pairs of keys times 16 queries. The values are turned once per chunk, for all queries of the unit.
// The sums O^T of a chunk begin at zero; a chunk's blocks that no query of the tile sees are left out, which adds nothing.
#pragma once

#include <cstring>

#include "kernels/cpu/attention/chunk.h"
#include "kernels/cpu/attention/lanes.h"
#include "kernels/scratch.h"

namespace hearth::cpu {
namespace {

/// A block's keys or values: `stride` bytes from key to key.
struct BlockRows {
    const std::byte* data = nullptr;
    int64_t stride = 0;
};

template <class TilesOf>
struct AmxBf16 {
    using Tiles = TilesOf;
    using Element = Bf16;
    static constexpr int64_t kStep = 32;  // numbers of a head in a tile
    static constexpr int64_t kTile = 1024;

    static int64_t depth(int64_t d) { return round_up(d, kStep); }
    static int64_t query_bytes(int64_t d) { return depth(d) * kLanes * 2; }        // of a tile of queries
    static int64_t value_bytes(int64_t d) { return depth(d) * kBlockTokens * 2; }  // of a block

    /// 16 queries, from row(0) to row(count - 1), times `scale`, in tiles [depth/32][16 pairs][16 queries][2].
    template <class Row>
    static void pack_queries(Row&& row, int64_t count, int64_t d, float scale, std::byte* out) {
        const __m512 factor = _mm512_set1_ps(scale);
        for (int64_t i = 0; i < depth(d); i += kStep, out += kTile) {
            __m512i x[16];
            unroll<16>([&](auto r) __attribute__((always_inline)) {
                if (r < count) {
                    const float* q = row(r) + i;
                    const __m512 low = _mm512_mul_ps(Avx512::load(q, d - i), factor);
                    const __m512 high = d - i > 16 ? _mm512_mul_ps(Avx512::load(q + 16, d - i - 16), factor) : _mm512_setzero_ps();
                    x[r] = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
                } else {
                    x[r] = _mm512_setzero_si512();
                }
            });
            transpose_square(x);
            unroll<16>([&](auto r) __attribute__((always_inline)) { _mm512_storeu_si512(out + r * 64, x[r]); });
        }
    }

    /// A block's values [32][depth], turned: tiles [depth/16][16 numbers of a head][32 keys].
    static void turn_values(const BlockRows& v, int64_t d, int64_t block, std::byte* values, Ahead& ahead) {
        std::byte* out = values + block * value_bytes(d);
        for (int64_t i = 0; i < depth(d); i += 8) {
            ahead.fetch(5);
            const std::byte* in = v.data + 2 * i;
            __m512i x[8], y[8];
            unroll<8>([&](auto r) __attribute__((always_inline)) {  // keys r, 8 + r, 16 + r, 24 + r
                const auto part = [&](int64_t key) __attribute__((always_inline)) {
                    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + key * v.stride));
                };
                x[r] = _mm512_inserti32x4(_mm512_castsi128_si512(part(r)), part(8 + r), 1);
                x[r] = _mm512_inserti32x4(_mm512_inserti32x4(x[r], part(16 + r), 2), part(24 + r), 3);
            });
            unroll<4>([&](auto r) __attribute__((always_inline)) {
                y[2 * r] = _mm512_unpacklo_epi16(x[2 * r], x[2 * r + 1]);
                y[2 * r + 1] = _mm512_unpackhi_epi16(x[2 * r], x[2 * r + 1]);
            });
            unroll<2>([&](auto r) __attribute__((always_inline)) {  // four keys; of numbers 0 and 1, 2 and 3, 4 and 5, 6 and 7
                x[4 * r] = _mm512_unpacklo_epi32(y[4 * r], y[4 * r + 2]);
                x[4 * r + 1] = _mm512_unpackhi_epi32(y[4 * r], y[4 * r + 2]);
                x[4 * r + 2] = _mm512_unpacklo_epi32(y[4 * r + 1], y[4 * r + 3]);
                x[4 * r + 3] = _mm512_unpackhi_epi32(y[4 * r + 1], y[4 * r + 3]);
            });
            unroll<4>([&](auto r) __attribute__((always_inline)) {
                _mm512_storeu_si512(out + (i + 2 * r) * 64, _mm512_unpacklo_epi64(x[r], x[4 + r]));
                _mm512_storeu_si512(out + (i + 2 * r + 1) * 64, _mm512_unpackhi_epi64(x[r], x[4 + r]));
            });
        }
    }

    /// scores[32][16] of a block for kTiles tiles of queries.
    template <int kTiles>
    static HEARTH_INLINE void score_block(const BlockRows& keys, const float*, const std::byte* q, int64_t d, float* scores,
                                          float* more_scores, Ahead& ahead) {
        begin_sums<kTiles>();
        const std::byte *k = keys.data, *next_q = q + query_bytes(d);
        for (int64_t step = depth(d) / kStep; step > 0; --step, k += 64, q += kTile, next_q += kTile) {
            ahead.fetch(13);
            add_products<kTiles>(k, keys.stride, q, next_q);
        }
        end_sums<kTiles>(scores, more_scores);
    }

    /// Scores of blocks become exponentials, as pairs of keys in bf16, in place.
    static void soften(Range blocks, float* scores, __m512 shift, const float*, int64_t lines, const LaneState& to, Ahead& ahead) {
        LaneSums sums;
        for (int64_t block = blocks.begin; block < blocks.end; ++block)
            soften_block(scores + block * kBlockTokens * kLanes, shift, sums, ahead, lines);
        _mm512_storeu_ps(to.data + kLanes, sums.all());
    }
    static __m512 weight_unit(const LaneState&) { return _mm512_set1_ps(1); }

    /// out[32][16] = values . exponentials over blocks, for numbers [column, column + 32) of the head.
    template <int kTiles>
    static HEARTH_INLINE void weigh_columns(const std::byte* values, int64_t d, int64_t column, Range blocks, const float* p,
                                            const float* more_p, const __m512*, float* out, float* more_out, Ahead& ahead) {
        begin_sums<kTiles>();
        for (int64_t block = blocks.begin; block < blocks.end; ++block) {
            ahead.fetch(10);
            const int64_t at = block * kBlockTokens * kLanes;
            add_products<kTiles>(values + block * value_bytes(d) + column * 64, 64, p + at, more_p + at);
        }
        end_sums<kTiles>(out, more_out);
    }

private:
    // Sums [32][16] for kTiles tiles of queries: they lie in tiles 0 and 1, those of a second tile of queries in 2 and 3.

    template <int kTiles>
    static HEARTH_INLINE void begin_sums() {
        Tiles::template zero<0>();
        Tiles::template zero<1>();
        if constexpr (kTiles == 2) {
            Tiles::template zero<2>();
            Tiles::template zero<3>();
        }
    }
    /// Adds 32 rows from `rows` on, `stride` bytes apart, times the tile at `columns` (and for a second tile of queries at `more`).
    template <int kTiles>
    static HEARTH_INLINE void add_products(const std::byte* rows, int64_t stride, const void* columns, const void* more) {
        Tiles::template load<6>(columns, 64);
        Tiles::template load_past<4>(rows, stride);
        Tiles::template dot_bf16<0, 4, 6>();
        Tiles::template load_past<5>(rows + 16 * stride, stride);
        Tiles::template dot_bf16<1, 5, 6>();
        if constexpr (kTiles == 2) {
            Tiles::template load<7>(more, 64);
            Tiles::template dot_bf16<2, 4, 7>();
            Tiles::template dot_bf16<3, 5, 7>();
        }
    }
    template <int kTiles>
    static HEARTH_INLINE void end_sums(float* out, float* more_out) {
        Tiles::template store<0>(out, 64);
        Tiles::template store<1>(out + 16 * kLanes, 64);
        if constexpr (kTiles == 2) {
            Tiles::template store<2>(more_out, 64);
            Tiles::template store<3>(more_out + 16 * kLanes, 64);
        }
    }
};

}  // namespace
}  // namespace hearth::cpu
