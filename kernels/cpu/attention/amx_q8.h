// Steps of attention in tiles, for a cache of q8: integers throughout, with the codes as they lie in the cache.
//
// A query is v * scale with v of 16 bits, in two bytes: v = 256 high + low, both signed, so a score is two sums of int8 products, exact.
// Exponentials times the scales of their values are numbers of 16 bits as shares of the largest of the chunk, again in two bytes, unsigned.
// Two products of bytes take the unit as long as one of bf16, and nothing has to be widened; both are closer to float32 than bf16 is.
// Otherwise as amx_bf16.h, with 64 numbers of a head, or 64 keys, in a tile.
#pragma once

#include "kernels/cpu/attention/amx_bf16.h"

namespace hearth::cpu {
namespace {

template <class TilesOf>
struct AmxQ8 {
    using Tiles = TilesOf;
    using Element = int8_t;
    static constexpr int64_t kStep = 64, kTile = 1024;
    static constexpr float kLargestQuery = 32639, kLargestWeight = 65535;  // 127 * 256 + 127; 255 * 256 + 255

    static int64_t depth(int64_t d) { return round_up(d, kStep); }
    static int64_t query_bytes(int64_t d) { return depth(d) * kLanes * 2 + 64; }  // of a tile of queries: bytes, then 16 scales
    static int64_t value_bytes(int64_t d) { return depth(d) * kBlockTokens; }     // of a block

    /// 16 queries times `scale`: [depth/64][high, low][16 fours][16 queries][4], then the scales of the queries.
    template <class Row>
    static void pack_queries(Row&& row, int64_t count, int64_t d, float scale, std::byte* out) {
        alignas(64) int8_t bytes[2][16][64];
        alignas(64) float scales[16] = {};
        for (int64_t r = 0; r < count; ++r) scales[r] = query_scale(row(r), d);
        for (int64_t i = 0; i < depth(d); i += kStep, out += 2 * kTile) {
            std::memset(bytes, 0, sizeof bytes);
            for (int64_t r = 0; r < count; ++r) {
                if (scales[r] > 0) split_query(row(r) + i, d - i, 1 / scales[r], bytes[0][r], bytes[1][r]);
            }
            for (int part = 0; part < 2; ++part) {
                __m512i x[16];
                unroll<16>([&](auto r) __attribute__((always_inline)) { x[r] = _mm512_load_si512(bytes[part][r]); });
                transpose_square(x);
                unroll<16>([&](auto r) __attribute__((always_inline)) { _mm512_storeu_si512(out + part * kTile + r * 64, x[r]); });
            }
        }
        _mm512_storeu_ps(out, _mm512_mul_ps(_mm512_load_ps(scales), _mm512_set1_ps(scale)));
    }

    /// A block's codes [32][depth], turned into its half of a pair of blocks: [depth][2][32 keys].
    static void turn_values(const BlockRows& v, int64_t d, int64_t block, std::byte* values, Ahead& ahead) {
        std::byte* out = values + block / 2 * 2 * value_bytes(d) + block % 2 * 32;
        const __m512i evens_first = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
        for (int64_t i = 0; i < depth(d); i += 16, out += 16 * 64) {
            ahead.fetch(5);
            __m512i x[8], y[8];
            unroll<8>([&](auto r) __attribute__((always_inline)) {  // keys r, 8 + r, 16 + r, 24 + r
                const auto part = [&](int64_t key) __attribute__((always_inline)) {
                    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(v.data + i + key * v.stride));
                };
                x[r] = _mm512_inserti32x4(_mm512_castsi128_si512(part(r)), part(8 + r), 1);
                x[r] = _mm512_inserti32x4(_mm512_inserti32x4(x[r], part(16 + r), 2), part(24 + r), 3);
            });
            unroll<4>([&](auto r) __attribute__((always_inline)) {  // two keys of numbers 0 to 7, and of 8 to 15
                y[2 * r] = _mm512_unpacklo_epi8(x[2 * r], x[2 * r + 1]);
                y[2 * r + 1] = _mm512_unpackhi_epi8(x[2 * r], x[2 * r + 1]);
            });
            unroll<2>([&](auto r) __attribute__((always_inline)) {  // four keys of numbers 0 to 3, 4 to 7, 8 to 11, 12 to 15
                x[4 * r] = _mm512_unpacklo_epi16(y[4 * r], y[4 * r + 2]);
                x[4 * r + 1] = _mm512_unpackhi_epi16(y[4 * r], y[4 * r + 2]);
                x[4 * r + 2] = _mm512_unpacklo_epi16(y[4 * r + 1], y[4 * r + 3]);
                x[4 * r + 3] = _mm512_unpackhi_epi16(y[4 * r + 1], y[4 * r + 3]);
            });
            unroll<8>([&](auto r) __attribute__((always_inline)) {  // eight keys a quarter of numbers 2 r and 2 r + 1
                const __m512i two =
                    r % 2 == 0 ? _mm512_unpacklo_epi32(x[r / 2], x[4 + r / 2]) : _mm512_unpackhi_epi32(x[r / 2], x[4 + r / 2]);
                const __m512i rows = _mm512_permutexvar_epi64(evens_first, two);
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 2 * r * 64), _mm512_castsi512_si256(rows));
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + (2 * r + 1) * 64), _mm512_extracti64x4_epi64(rows, 1));
            });
        }
    }

    /// scores[32][16] of a block for kTiles tiles of queries. Tiles 0 and 1 are high sums, 2 and 3 low ones, 4 and 5 keys, 6 and 7 queries.
    template <int kTiles>
    static void score_block(const BlockRows& keys, const float* key_scales, const std::byte* q, int64_t d, float* scores,
                            float* more_scores, Ahead& ahead) {
        for (int tile = 0; tile < kTiles; ++tile, q += query_bytes(d)) {
            alignas(64) int32_t sums[2][kBlockTokens][kLanes];
            Tiles::template zero<0>();
            Tiles::template zero<1>();
            Tiles::template zero<2>();
            Tiles::template zero<3>();
            const std::byte* k = keys.data;
            for (int64_t i = 0; i < depth(d); i += kStep, k += 64) {
                ahead.fetch(13);
                Tiles::template load<6>(q + i / kStep * 2 * kTile, 64);
                Tiles::template load<4>(k, keys.stride);
                Tiles::template dot_int8<0, 4, 6>();
                Tiles::template load<5>(k + 16 * keys.stride, keys.stride);
                Tiles::template dot_int8<1, 5, 6>();
                Tiles::template load<7>(q + (i / kStep * 2 + 1) * kTile, 64);
                Tiles::template dot_int8<2, 4, 7>();
                Tiles::template dot_int8<3, 5, 7>();
            }
            Tiles::template store<0>(sums[0], 64);
            Tiles::template store<1>(sums[0][16], 64);
            Tiles::template store<2>(sums[1], 64);
            Tiles::template store<3>(sums[1][16], 64);
            const __m512 scale = _mm512_loadu_ps(q + query_bytes(d) - 64);
            for (int64_t key = 0; key < kBlockTokens; ++key) {
                const __m512 both = whole(sums[0][key], sums[1][key]);
                const __m512 factor = _mm512_mul_ps(scale, _mm512_set1_ps(key_scales[key]));
                _mm512_storeu_ps((tile == 0 ? scores : more_scores) + key * kLanes, _mm512_mul_ps(both, factor));
            }
        }
    }

    /// Scores of blocks become exponentials times the scales of their values, as bytes: [64 keys / 4][high, low][16 queries][4] for each
    /// pair of blocks, in place. Their unit is left in the first of to.values().
    static void soften(Range blocks, float* scores, __m512 shift, const float* value_scales, int64_t lines, const LaneState& to,
                       Ahead& ahead) {
        LaneSums sums;
        __m512 top = _mm512_setzero_ps();
        const Range pairs{blocks.begin / 2, (blocks.end + 1) / 2};
        for (int64_t block = pairs.begin * 2; block < pairs.end * 2; ++block) {
            float* s = scores + block * kBlockTokens * kLanes;
            if (block < blocks.begin || block >= blocks.end) {  // the other half of a pair
                std::memset(s, 0, kBlockTokens * kLanes * sizeof(float));
                continue;
            }
            for (int64_t i = 0; i < kBlockTokens; i += 4) {
                ahead.fetch(lines);
                unroll<4>([&](auto j) __attribute__((always_inline)) {
                    const __m512 p = exp2_lanes(_mm512_sub_ps(_mm512_loadu_ps(s + (i + j) * kLanes), shift));
                    const __m512 weight = _mm512_mul_ps(p, _mm512_set1_ps(value_scales[block * kBlockTokens + i + j]));
                    sums.part[j] = _mm512_add_ps(sums.part[j], p);
                    top = _mm512_max_ps(weight, top);
                    _mm512_storeu_ps(s + (i + j) * kLanes, weight);
                });
            }
        }
        const __mmask16 some = _mm512_cmp_ps_mask(top, _mm512_set1_ps(1e-30f), _CMP_GT_OQ);  // less than that counts as nothing
        const __m512 inverse = _mm512_maskz_div_ps(some, _mm512_set1_ps(kLargestWeight), top);
        for (int64_t pair = pairs.begin; pair < pairs.end; ++pair) split_weights(scores + pair * 2 * kBlockTokens * kLanes, inverse);
        _mm512_storeu_ps(to.data + kLanes, sums.all());
        _mm512_storeu_ps(to.values(), _mm512_mul_ps(top, _mm512_set1_ps(1 / kLargestWeight)));
    }

    /// The unit that soften() left: to be read before values are written.
    static __m512 weight_unit(const LaneState& to) { return _mm512_loadu_ps(to.values()); }

    /// out[32][16] = values . weights over blocks, for numbers [column, column + 32) of the head. Tiles 0 and 2 are high sums, 1 and 3 low
    /// ones, 4 and 5 values, 6 and 7 weights.
    template <int kTiles>
    static void weigh_columns(const std::byte* values, int64_t d, int64_t column, Range blocks, const float* p, const float* more_p,
                              const __m512* units, float* out, float* more_out, Ahead& ahead) {
        for (int tile = 0; tile < kTiles; ++tile) {
            alignas(64) int32_t sums[2][2][16][kLanes];  // columns, high and low
            const auto* weights = reinterpret_cast<const std::byte*>(tile == 0 ? p : more_p);
            Tiles::template zero<0>();
            Tiles::template zero<1>();
            Tiles::template zero<2>();
            Tiles::template zero<3>();
            for (int64_t pair = blocks.begin / 2; pair < (blocks.end + 1) / 2; ++pair) {
                ahead.fetch(10);
                const std::byte* v = values + pair * 2 * value_bytes(d) + column * 64;
                const std::byte* w = weights + pair * 2 * kBlockTokens * kLanes * 4;
                Tiles::template load<6>(w, 128);
                Tiles::template load<4>(v, 64);
                Tiles::template dot_int8_uint8<0, 4, 6>();
                Tiles::template load<7>(w + 64, 128);
                Tiles::template dot_int8_uint8<1, 4, 7>();
                Tiles::template load<5>(v + kTile, 64);
                Tiles::template dot_int8_uint8<2, 5, 6>();
                Tiles::template dot_int8_uint8<3, 5, 7>();
            }
            Tiles::template store<0>(sums[0][0], 64);
            Tiles::template store<1>(sums[0][1], 64);
            Tiles::template store<2>(sums[1][0], 64);
            Tiles::template store<3>(sums[1][1], 64);
            float* to = tile == 0 ? out : more_out;
            for (int half = 0; half < 2; ++half) {
                for (int64_t i = 0; i < 16; ++i)
                    _mm512_storeu_ps(to + (half * 16 + i) * kLanes, _mm512_mul_ps(whole(sums[half][0][i], sums[half][1][i]), units[tile]));
            }
        }
    }

private:
    /// 256 high + low: exact below 2^24 each, rounded once.
    static HEARTH_INLINE __m512 whole(const int32_t* high, const int32_t* low) {
        return _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(high)), _mm512_set1_ps(256),
                               _mm512_cvtepi32_ps(_mm512_load_si512(low)));
    }

    /// What one step of a query's 16-bit numbers is worth; NaN where the query is not finite, 0 where it is nothing.
    static float query_scale(const float* q, int64_t d) {
        __m512 largest = _mm512_setzero_ps(), poison = _mm512_setzero_ps();
        for (int64_t i = 0; i < d; i += kLanes) {
            const __m512 x = Avx512::load(q + i, d - i);
            largest = _mm512_max_ps(_mm512_abs_ps(x), largest);
            poison = _mm512_fmadd_ps(x, _mm512_setzero_ps(), poison);
        }
        const float top = _mm512_reduce_max_ps(largest);
        if (_mm512_reduce_add_ps(poison) != 0) return NAN;  // only NaN is not 0
        return top >= 1e-30f ? top / kLargestQuery : 0;
    }

    /// Up to 64 numbers of a query as high and low bytes.
    static void split_query(const float* q, int64_t count, float inverse, int8_t* high, int8_t* low) {
        for (int64_t i = 0; i < kStep && i < count; i += kLanes) {
            const __m512i v = _mm512_cvtps_epi32(_mm512_mul_ps(Avx512::load(q + i, count - i), _mm512_set1_ps(inverse)));
            const __m512i bottom = _mm512_srai_epi32(_mm512_slli_epi32(v, 24), 24);
            _mm_store_si128(reinterpret_cast<__m128i*>(high + i), _mm512_cvtepi32_epi8(_mm512_srai_epi32(_mm512_sub_epi32(v, bottom), 8)));
            _mm_store_si128(reinterpret_cast<__m128i*>(low + i), _mm512_cvtepi32_epi8(bottom));
        }
    }

    /// Weights [64][16] become bytes, [16][high, low][16][4], in place: four keys are read before what they become is written.
    static void split_weights(float* weights, __m512 inverse) {
        const __m512i even_bytes = _mm512_set1_epi32(0x00FF00FF);
        for (int64_t i = 0; i < 2 * kBlockTokens; i += 4) {
            const auto code = [&](int64_t j) __attribute__((always_inline)) {
                return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(weights + (i + j) * kLanes), inverse));
            };
            const __m512i even = _mm512_or_si512(code(0), _mm512_slli_epi32(code(2), 16));
            const __m512i odd = _mm512_or_si512(code(1), _mm512_slli_epi32(code(3), 16));
            constexpr int kChoose = 0xCA;  // of the first operand's bits: the second where set, else the third
            const __m512i high = _mm512_ternarylogic_epi32(even_bytes, _mm512_srli_epi32(even, 8), odd, kChoose);
            const __m512i low = _mm512_ternarylogic_epi32(even_bytes, even, _mm512_slli_epi32(odd, 8), kChoose);
            auto* out = reinterpret_cast<std::byte*>(weights) + i / 4 * 128;
            _mm512_storeu_si512(out, high);
            _mm512_storeu_si512(out + 64, low);
        }
    }
};

}  // namespace
}  // namespace hearth::cpu
