// The Kernel (driver.h) of e4m3 weights: expanded to float32, multiplied by the tile of matmul/fma.
//
// Order of summation: one chain per output, k rising.
#pragma once

#include <cmath>

#include "kernels/cpu/matmul/tile_fma.h"
#include "kernels/cpu/quant/driver.h"

namespace hearth::cpu {

/// Byte `byte` of each 32-bit lane, an e4m3 code, as its number: exact. The exponent moves from a bias of 7 to one of 127; below the least
/// exponent (no implicit one) what comes out is 2^-7 (1 + m / 8) where m 2^-9 is meant, which is twice that less 2^-6.
template <class V>
HEARTH_INLINE typename V::F decode_e4m3(typename V::F lanes, int byte) {
    constexpr int kBias = 120 << 23, kSign = static_cast<int>(0x80000000);
#if defined(__AVX512F__)
    const __m512i top = _mm512_slli_epi32(_mm512_castps_si512(lanes), 24 - 8 * byte);
    const __m512i size = _mm512_and_si512(_mm512_srli_epi32(top, 4), _mm512_set1_epi32(0x07F00000));
    __m512 v = _mm512_castsi512_ps(_mm512_add_epi32(size, _mm512_set1_epi32(kBias)));
    v = _mm512_mask_fmadd_ps(v, _mm512_testn_epi32_mask(top, _mm512_set1_epi32(0x78000000)), V::set(2), V::set(-0x1p-6f));
    v = _mm512_mask_mov_ps(v, _mm512_cmpeq_epi32_mask(size, _mm512_set1_epi32(0x07F00000)), V::set(NAN));
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(v), top, _mm512_set1_epi32(kSign), 0xF8));  // v | (top & sign)
#else
    const __m256i top = _mm256_slli_epi32(_mm256_castps_si256(lanes), 24 - 8 * byte);
    const __m256i size = _mm256_and_si256(_mm256_srli_epi32(top, 4), _mm256_set1_epi32(0x07F00000));
    __m256 v = _mm256_castsi256_ps(_mm256_add_epi32(size, _mm256_set1_epi32(kBias)));
    const __m256i small = _mm256_cmpgt_epi32(_mm256_set1_epi32(0x00800000), size),
                  nan = _mm256_cmpeq_epi32(size, _mm256_set1_epi32(0x07F00000));
    v = V::choose(_mm256_castsi256_ps(small), V::fma(v, V::set(2), V::set(-0x1p-6f)), v);
    v = V::choose(_mm256_castsi256_ps(nan), V::set(NAN), v);
    return _mm256_or_ps(v, _mm256_castsi256_ps(_mm256_and_si256(top, _mm256_set1_epi32(kSign))));
#endif
}

/// kZeros: zero points mean nothing to e4m3, but take room in its panels.
template <class V, bool kZeros, int kRegisterRows>
struct F8Kernel : KernelShape<WeightFormat::kF8, kZeros, kRegisterRows, 0, 192, 256> {
    using Tile = FmaTile<V, WeightFormat::kF32, kRegisterRows, 192>;
    struct Block {
        alignas(64) float numbers[F8Kernel::kExpandedDepth][kPanelRows];
    };

    /// Rows of x in the order of the columns, k padded to whole blocks.
    struct Input : FloatRows {
        static bool copies(const MatmulArgs& a) { return a.w.k % kBlockDepth != 0 || a.w.columns || a.up.columns; }
        static int64_t padded(const MatmulArgs& a) { return round_up(a.w.k, kBlockDepth); }
        static size_t bytes_of(const MatmulArgs& a) { return copies(a) ? scratch_bytes<float>(a.x.extent[0] * padded(a)) : 0; }
        static int64_t row_bytes(const MatmulArgs& a) { return padded(a) * static_cast<int64_t>(sizeof(float)); }
        static int64_t rows_to_pack(const MatmulArgs& a) { return copies(a) ? a.x.extent[0] : 0; }
        static Input make(const MatmulArgs& a, Scratch& scratch) {
            if (!copies(a)) return {{nullptr, a.x.data, a.x.stride[0]}};
            float* own = scratch.take<float>(a.x.extent[0] * padded(a));
            return {{own, own, padded(a)}};
        }
        void pack(const MatmulArgs& a, const int32_t* columns, Range rows) const {
            for (int64_t r = rows.begin; r < rows.end; ++r) {
                float* out = this->own + r * this->stride;
                for (int64_t k = 0; k < this->stride; ++k) out[k] = k < a.w.k ? a.x.row(r)[columns ? columns[k] : k] : 0;
            }
        }
    };
    using Inputs = PairInput<Input>;

    static void expand(const QuantPanel& panel, int64_t group, int64_t groups, Block& block) {
        for (int64_t g = group; g < group + groups; ++g) {
            const GroupPlace at(WeightFormat::kF8, kZeros, g);
            for (int64_t r = 0; r < kPanelRows; r += V::kLanes) {
                const auto scale = V::load(reinterpret_cast<const float*>(panel.data + at.scales) + r);
                float(*out)[kPanelRows] = block.numbers + (g - group) * kQuantGroup;
                for (int64_t step = 0; step < kPanelSteps; ++step) {
                    const auto codes = V::load(reinterpret_cast<const float*>(panel.data + at.codes + step * 64) + r);
                    HEARTH_UNROLL for (int i = 0; i < 4; ++i) { V::store(out[4 * step + i] + r, V::mul(decode_e4m3<V>(codes, i), scale)); }
                }
            }
        }
    }

    static void tile(const Block* const (&blocks)[2], const Inputs& inputs, int64_t row, int64_t rows, int64_t group, int64_t groups,
                     float* sums, bool first) {
        const Range k{group * kQuantGroup, (group + groups) * kQuantGroup};
        inputs.for_panels(blocks[1] != nullptr, [&](auto count, int p, const Input& input) HEARTH_INLINED {
            if constexpr (count == 2) {
                Tile::tile({bytes_of(*blocks[0]), bytes_of(*blocks[1])}, Idle{}, input, row, rows, k, sums, first);
            } else {
                tile_alone(bytes_of(*blocks[p]), input, row, rows, k, sums + p * kRegisterRows * kPanelRows, first);
            }
        });
    }

private:
    static const std::byte* bytes_of(const Block& block) { return reinterpret_cast<const std::byte*>(block.numbers); }

    /// One panel into sums[kMaxRows][16], by a copy, as the tile writes the sums of two.
    static void tile_alone(const std::byte* w, const Input& input, int64_t row, int64_t rows, Range k, float* sums, bool first) {
        constexpr size_t kBytes = kRegisterRows * kPanelRows * sizeof(float);
        alignas(64) float both[kQuantTileSums<F8Kernel>];
        if (!first) std::memcpy(both, sums, kBytes);
        Tile::tile({w, nullptr}, Idle{}, input, row, rows, k, both, first);
        std::memcpy(sums, both, kBytes);
    }
};

}  // namespace hearth::cpu
