// Blocks of keys turned so that lanes are keys.
#pragma once

#include "kernels/cpu/simd.h"

namespace hearth::cpu {

#if defined(__AVX512F__)

/// Transposes 16 x 16 words in registers.
HEARTH_INLINE void transpose_square(__m512i (&x)[16]) {
    __m512i y[16];
    unroll<8>([&](auto i) HEARTH_INLINED {  // pairs of rows
        y[2 * i] = _mm512_unpacklo_epi32(x[2 * i], x[2 * i + 1]);
        y[2 * i + 1] = _mm512_unpackhi_epi32(x[2 * i], x[2 * i + 1]);
    });
    unroll<4>([&](auto i) HEARTH_INLINED {  // fours: x[4i + c] holds column c of each quarter
        x[4 * i] = _mm512_unpacklo_epi64(y[4 * i], y[4 * i + 2]);
        x[4 * i + 1] = _mm512_unpackhi_epi64(y[4 * i], y[4 * i + 2]);
        x[4 * i + 2] = _mm512_unpacklo_epi64(y[4 * i + 1], y[4 * i + 3]);
        x[4 * i + 3] = _mm512_unpackhi_epi64(y[4 * i + 1], y[4 * i + 3]);
    });
    unroll<4>([&](auto c) HEARTH_INLINED {  // quarters
        const __m512i a = _mm512_shuffle_i32x4(x[c], x[4 + c], 0x88), b = _mm512_shuffle_i32x4(x[8 + c], x[12 + c], 0x88);
        const __m512i d = _mm512_shuffle_i32x4(x[c], x[4 + c], 0xDD), e = _mm512_shuffle_i32x4(x[8 + c], x[12 + c], 0xDD);
        y[c] = _mm512_shuffle_i32x4(a, b, 0x88);
        y[8 + c] = _mm512_shuffle_i32x4(a, b, 0xDD);
        y[4 + c] = _mm512_shuffle_i32x4(d, e, 0x88);
        y[12 + c] = _mm512_shuffle_i32x4(d, e, 0xDD);
    });
    unroll<16>([&](auto i) HEARTH_INLINED { x[i] = y[i]; });
}

/// 16 rows of 16 words, the first `count` of each, turned: x[column] holds a word of each row. Halves of rows are put together by loads, of
/// rows 4 apart, which leaves three shuffles a vector.
template <class Row>
HEARTH_INLINE void load_turned(Row&& row, __mmask8 low, __mmask8 high, __m512i (&x)[16]) {
    unroll<2>([&](auto half) HEARTH_INLINED {
        __m512i y[8], z[8];
        unroll<8>([&](auto i) HEARTH_INLINED {
            constexpr int kFirst = i / 4 * 8 + i % 4;
            const __mmask8 mask = half == 0 ? low : high;
            const __m256i a = _mm256_maskz_loadu_epi32(mask, row(kFirst) + half * 8),
                          b = _mm256_maskz_loadu_epi32(mask, row(kFirst + 4) + half * 8);
            y[i] = _mm512_inserti32x8(_mm512_castsi256_si512(a), b, 1);
        });
        unroll<4>([&](auto i) HEARTH_INLINED {
            z[2 * i] = _mm512_unpacklo_epi32(y[2 * i], y[2 * i + 1]);
            z[2 * i + 1] = _mm512_unpackhi_epi32(y[2 * i], y[2 * i + 1]);
        });
        unroll<2>([&](auto i) HEARTH_INLINED {
            y[4 * i] = _mm512_unpacklo_epi64(z[4 * i], z[4 * i + 2]);
            y[4 * i + 1] = _mm512_unpackhi_epi64(z[4 * i], z[4 * i + 2]);
            y[4 * i + 2] = _mm512_unpacklo_epi64(z[4 * i + 1], z[4 * i + 3]);
            y[4 * i + 3] = _mm512_unpackhi_epi64(z[4 * i + 1], z[4 * i + 3]);
        });
        unroll<4>([&](auto c) HEARTH_INLINED {
            x[half * 8 + c] = _mm512_shuffle_i32x4(y[c], y[4 + c], 0x88);
            x[half * 8 + 4 + c] = _mm512_shuffle_i32x4(y[c], y[4 + c], 0xDD);
        });
    });
}

/// out[column][32] = rows[32][columns] of 32-bit words; a row is `columns` words after the one before. Calls between() before each square.
template <class Between>
HEARTH_INLINE void transpose_keys(const uint32_t* rows, int64_t columns, uint32_t* out, Between&& between) {
    for (int64_t column = 0; column < columns; column += 16) {
        const int64_t count = columns - column < 16 ? columns - column : 16;
        const auto mask = static_cast<uint32_t>(Avx512::first(count));
        for (int64_t row = 0; row < 32; row += 16) {
            __m512i x[16];
            between();
            load_turned([&](int64_t i) HEARTH_INLINED { return rows + (row + i) * columns + column; }, static_cast<__mmask8>(mask),
                        static_cast<__mmask8>(mask >> 8), x);
            unroll<16>([&](auto i) HEARTH_INLINED {
                if (i < count) _mm512_storeu_si512(out + (column + i) * 32 + row, x[i]);
            });
        }
    }
}

#elif defined(__AVX2__)

/// Transposes 8 x 8 words in registers.
HEARTH_INLINE void transpose_square(__m256i (&x)[8]) {
    __m256i y[8];
    unroll<4>([&](auto i) HEARTH_INLINED {
        y[2 * i] = _mm256_unpacklo_epi32(x[2 * i], x[2 * i + 1]);
        y[2 * i + 1] = _mm256_unpackhi_epi32(x[2 * i], x[2 * i + 1]);
    });
    unroll<2>([&](auto i) HEARTH_INLINED {
        x[4 * i] = _mm256_unpacklo_epi64(y[4 * i], y[4 * i + 2]);
        x[4 * i + 1] = _mm256_unpackhi_epi64(y[4 * i], y[4 * i + 2]);
        x[4 * i + 2] = _mm256_unpacklo_epi64(y[4 * i + 1], y[4 * i + 3]);
        x[4 * i + 3] = _mm256_unpackhi_epi64(y[4 * i + 1], y[4 * i + 3]);
    });
    unroll<4>([&](auto c) HEARTH_INLINED {
        y[c] = _mm256_permute2x128_si256(x[c], x[4 + c], 0x20);
        y[4 + c] = _mm256_permute2x128_si256(x[c], x[4 + c], 0x31);
    });
    unroll<8>([&](auto i) HEARTH_INLINED { x[i] = y[i]; });
}

template <class Between>
HEARTH_INLINE void transpose_keys(const uint32_t* rows, int64_t columns, uint32_t* out, Between&& between) {
    for (int64_t column = 0; column < columns; column += 8) {
        const int64_t count = columns - column < 8 ? columns - column : 8;
        const __m256i mask = Avx2::first(count);
        for (int64_t row = 0; row < 32; row += 8) {
            __m256i x[8];
            between();
            unroll<8>([&](auto i) HEARTH_INLINED {
                x[i] = _mm256_maskload_epi32(reinterpret_cast<const int*>(rows + (row + i) * columns + column), mask);
            });
            transpose_square(x);
            unroll<8>([&](auto i) HEARTH_INLINED {
                if (i < count) _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + (column + i) * 32 + row), x[i]);
            });
        }
    }
}

#endif

}  // namespace hearth::cpu
