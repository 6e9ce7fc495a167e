// Inputs of an integer product on tiles of bf16: whole numbers of up to nine bits times a power of two.
//
// A group of 32 takes the step 2^e with which its largest number needs at most 254 steps, twice as fine as 127 steps at worst and never
// coarser. The same codes come in two forms: of a few rows as two int8 whose sum is the code, for vpdpbusd; of many rows as bf16 code *
// 2^e, exact, in tiles. Sums of a group are whole numbers below 2^24 times 2^e in both, so they are exact whatever unit makes them.
#pragma once

#include <bit>

#include "kernels/cpu/quant/input.h"

namespace hearth::cpu {

constexpr int64_t kTileRows = 16, kTileGroups = 4;  // rows of a tile; groups that are multiplied between two uses of a float sum
constexpr int64_t kTileNumbers = kTileRows * kQuantGroup;

/// 32 floats in steps: code = round(x * inverse). Both are not-a-number where x has one, or is beyond 2^71: sums would leave float32.
struct TileStep {
    float size, inverse;
};

HEARTH_INLINE TileStep tile_step(__m512 a, __m512 b) {
    const __m512i bits = _mm512_max_epu32(_mm512_slli_epi32(_mm512_castps_si512(a), 1), _mm512_slli_epi32(_mm512_castps_si512(b), 1));
    const uint32_t largest = _mm512_reduce_max_epu32(bits) >> 1;  // not-a-number comes out above all
    constexpr uint32_t kTooLarge = (127u + 71) << 23, kLeast = 127 - 100, kNan = 0x7FC00000;
    if (largest >= kTooLarge) return {std::bit_cast<float>(kNan), std::bit_cast<float>(kNan)};
    // Above 254.5 steps of 2^(exponent - 7) the next larger step: this factor moves the exponent on exactly there.
    const uint32_t exponent = std::bit_cast<uint32_t>(std::bit_cast<float>(largest) * (256 / 254.49f)) >> 23;
    const uint32_t step = exponent < kLeast + 7 ? kLeast : exponent - 7;
    return {std::bit_cast<float>(step << 23), std::bit_cast<float>((254 - step) << 23)};
}

/// A few rows: QuantInput with twice the rows of codes, row r being the sum of rows r and rows + r.
struct SplitInput : QuantInput {
    static constexpr int64_t kParts = 2;
    static SplitInput make(const MatmulArgs& a, Scratch& scratch) {
        SplitInput input{shape(a.x.extent[0], a.w.k)};
        input.take(scratch, kParts);
        return input;
    }
    static size_t bytes_of(const MatmulArgs& a) { return shape(a.x.extent[0], a.w.k).bytes(kParts); }
    static int64_t rows_to_pack(const MatmulArgs& a) { return a.x.extent[0]; }

    void pack(const MatmulArgs& a, const int32_t* columns, Range range) const {
        for (int64_t r = range.begin; r < range.end; ++r) {
            for_input_groups(a.x, columns, a.w.k, groups, r, [&](int64_t g, const float* from) HEARTH_INLINED {
                const __m512 low = Vec::load(from), high = Vec::load(from + 16);
                const TileStep step = tile_step(low, high);
                int8_t* to = codes + r * stride + g * kQuantGroup;
                int32_t sum = 0;
                HEARTH_UNROLL for (int half = 0; half < 2; ++half) {
                    const __m512i code = _mm512_cvtps_epi32(Vec::mul(half ? high : low, Vec::set(step.inverse)));
                    const __m512i first = _mm512_srai_epi32(code, 1);
                    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16 * half), _mm512_cvtsepi32_epi8(first));
                    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + rows * stride + 16 * half),
                                     _mm512_cvtsepi32_epi8(_mm512_sub_epi32(code, first)));
                    sum += _mm512_reduce_add_epi32(code);
                }
                scales[g * pitch + r] = step.size;
                starts[g * pitch + r] = -IntDot<Vec>::kOffset * sum;
                if (a.w.has_zeros) sums[g * pitch + r] = static_cast<float>(sum);
            });
        }
    }
};

/// Many rows: tiles of 16 rows times 32 k, a tile's groups one after the other.
struct TileInput {
    uint16_t* tiles = nullptr;  // [tiles][groups][16][32] bf16: in each four k the order 0 2 1 3
    float* sums = nullptr;      // [tiles][groups][16]: of a row's numbers in steps times 2^e; where the weight has zero points
    int64_t rows = 0, groups = 0;

    static HEARTH_INLINE TileInput shape(const MatmulArgs& a) {
        return {nullptr, nullptr, round_up(a.x.extent[0], kTileRows), round_up(a.w.k, kTileGroups * kQuantGroup) / kQuantGroup};
    }
    static TileInput make(const MatmulArgs& a, Scratch& scratch) {
        TileInput input = shape(a);
        input.tiles = scratch.take<uint16_t>(input.rows * input.groups * kQuantGroup);
        input.sums = scratch.take<float>(input.rows * input.groups);
        return input;
    }
    static size_t bytes_of(const MatmulArgs& a) {
        const TileInput input = shape(a);
        return scratch_bytes<uint16_t>(input.rows * input.groups * kQuantGroup) + scratch_bytes<float>(input.rows * input.groups);
    }
    static int64_t rows_to_pack(const MatmulArgs& a) { return shape(a).rows; }

    HEARTH_INLINE const uint16_t* tile(int64_t row, int64_t group) const {
        return tiles + (row * groups + group * kTileRows) * kQuantGroup;
    }
    HEARTH_INLINE const float* sums_of(int64_t row, int64_t group) const { return sums + row * groups + group * kTileRows; }

    void pack(const MatmulArgs& a, const int32_t* columns, Range range) const {
        for (int64_t r = range.begin; r < range.end; ++r) {
            const int64_t first = r / kTileRows * kTileRows, in_tile = r - first;
            for_input_groups(a.x, columns, a.w.k, groups, r, [&](int64_t g, const float* from) HEARTH_INLINED {
                __m512 low = Vec::load(from), high = Vec::load(from + 16);
                const TileStep step = tile_step(low, high);
                const __m512 size = Vec::set(step.size), inverse = Vec::set(step.inverse);
                low = Vec::mul(Vec::round(Vec::mul(low, inverse)), size);
                high = Vec::mul(Vec::round(Vec::mul(high, inverse)), size);
                const __m512i numbers = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
                const __m512i order = _mm512_shufflehi_epi16(_mm512_shufflelo_epi16(numbers, 0xD8), 0xD8);
                _mm512_storeu_si512(tiles + (first * groups + g * kTileRows + in_tile) * kQuantGroup, order);
                if (a.w.has_zeros) sums[first * groups + g * kTileRows + in_tile] = Vec::sum(Vec::add(low, high));
            });
        }
    }
};

}  // namespace hearth::cpu
