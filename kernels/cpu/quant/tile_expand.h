// A run of groups of a quantised panel as tiles of bf16, for many rows of inputs.
#pragma once

#include "kernels/cpu/quant/expand.h"

namespace hearth::cpu {

/// A whole number that bf16 holds exactly, times kGain, which the scales take back.
template <WeightFormat kFormat>
constexpr float kTileGain = kFormat == WeightFormat::kQ8 ? 0x1p24f : 1.0f;

/// One group of a panel. Row 2 j + odd of the tile: k = 4 j + odd and 4 j + odd + 2 of each output.
struct alignas(64) TileGroup {
    uint16_t tile[16][kPanelRows][2];
};

/// kDepth groups.
template <int64_t kDepth>
struct alignas(64) TileBlock {
    TileGroup groups[kDepth];
    float scales[kDepth][kPanelRows];  // over kTileGain
    float zeros[kDepth][kPanelRows];   // times kTileGain, where the weight has them
};

/// 64 bytes of q8, one step: four numbers an output. A byte becomes the uppermost of an int32, so its float ends within 16 bits.
HEARTH_INLINE void expand_q8_step(const std::byte* codes, uint16_t (*rows)[kPanelRows][2]) {
    const __m512i bytes = _mm512_xor_si512(_mm512_loadu_si512(codes), _mm512_set1_epi8(static_cast<char>(0x80)));
    __m512i number[4];
    unroll<4>([&](auto i) HEARTH_INLINED {
        const __m512i up = i == 3 ? _mm512_and_si512(bytes, _mm512_set1_epi32(static_cast<int>(0xFF000000)))
                                  : _mm512_shuffle_epi8(bytes, _mm512_broadcast_i32x4(_mm_setr_epi8(-1, -1, -1, i, -1, -1, -1, 4 + i, -1,
                                                                                                    -1, -1, 8 + i, -1, -1, -1, 12 + i)));
        number[i] = _mm512_castps_si512(_mm512_cvtepi32_ps(up));
    });
    _mm512_storeu_si512(rows[0], _mm512_or_si512(_mm512_srli_epi32(number[0], 16), number[2]));
    _mm512_storeu_si512(rows[1], _mm512_or_si512(_mm512_srli_epi32(number[1], 16), number[3]));
}

/// 64 bytes of q4, steps j and j + 4. Nibbles of 16-bit lanes index the table, whose second half repeats the first.
HEARTH_INLINE void expand_q4_steps(const std::byte* codes, __m512i table, uint16_t (*rows)[kPanelRows][2],
                                   uint16_t (*rows4)[kPanelRows][2]) {
    const __m512i words = _mm512_loadu_si512(codes);
    _mm512_storeu_si512(rows[0], _mm512_permutexvar_epi16(words, table));
    _mm512_storeu_si512(rows4[0], _mm512_permutexvar_epi16(_mm512_srli_epi16(words, 4), table));
    _mm512_storeu_si512(rows[1], _mm512_permutexvar_epi16(_mm512_srli_epi16(words, 8), table));
    _mm512_storeu_si512(rows4[1], _mm512_permutexvar_epi16(_mm512_srli_epi16(words, 12), table));
}

HEARTH_INLINE __m512i tile_table(const Levels& levels) {
    const __m512 numbers = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(levels.data()))));
    return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(numbers, numbers));
}

/// Groups [begin, begin + count) of a panel that has `groups`; those past its end, and all of a panel without data, are zero.
template <WeightFormat kFormat, bool kZeros, int64_t kDepth>
void expand_tiles(const QuantPanel& panel, int64_t begin, int64_t count, int64_t groups, TileBlock<kDepth>& out) {
    const int64_t there = panel.data ? std::clamp<int64_t>(groups - begin, 0, count) : 0;
    if (there < count) {
        std::memset(out.groups + there, 0, static_cast<size_t>(count - there) * sizeof(TileGroup));
        std::memset(out.scales + there, 0, static_cast<size_t>(count - there) * sizeof out.scales[0]);
        std::memset(out.zeros + there, 0, static_cast<size_t>(count - there) * sizeof out.zeros[0]);
    }
    if (there == 0) return;
    const __m512i table = tile_table(*panel.levels);
    constexpr int kLoads = static_cast<int>(group_code_bytes(kFormat)) / 64;
    for (int64_t g = 0; g < there; ++g) {
        const GroupPlace at(kFormat, kZeros, begin + g);
        auto* rows = out.groups[g].tile;
        HEARTH_UNROLL for (int j = 0; j < kLoads; ++j) {
            const std::byte* codes = panel.data + at.codes + 64 * j;
            if constexpr (kFormat == WeightFormat::kQ8) {
                expand_q8_step(codes, rows + 2 * j);
            } else {
                expand_q4_steps(codes, table, rows + 2 * j, rows + 2 * (j + 4));
            }
        }
        Vec::store(out.scales[g],
                   Vec::mul(Vec::load(reinterpret_cast<const F16*>(panel.data + at.scales)), Vec::set(1 / kTileGain<kFormat>)));
        if constexpr (kZeros) {
            const auto zeros = IntDot<Vec>::load_bytes(reinterpret_cast<const int8_t*>(panel.data + at.zeros));
            Vec::store(out.zeros[g], Vec::mul(zeros, Vec::set(kTileGain<kFormat>)));
        }
    }
}

}  // namespace hearth::cpu
