// How matmul/q_amx multiplies: q8 and q4 weights times inputs rounded to nine bits, by tdpbf16ps and vpdpbusd.
//
// Whole numbers, exact in bf16: tiles make the sums of groups of 32 exactly, so a few rows may be multiplied by vpdpbusd and have the same
// bits. Many rows: see kernels/cpu/quant/tile_multiply.h. A tile of sums is stored in 17 cycles during which nothing else is decoded, so 25
// cycles a product are the least, where tiles of 64 k by tdpbssd, without groups, would take 8: 32 % of the int8 peak; measured in whole
// prompts: 10 %. Few rows (up to 4): as matmul/q_avx512, bound by memory, with two dots for one, as a code of nine bits is the sum of two
// of eight. Order of summation: one FMA a group and output, groups rising.
#pragma once

#include "kernels/cpu/quant/int_kernel.h"
#include "kernels/cpu/quant/tile_driver.h"

namespace hearth::cpu {

template <class TilesOf>
struct QuantTiles {
    static constexpr int64_t kFewRows = 4;

    template <WeightFormat kFormatOf, bool kZerosOf>
    struct Kernel {
        using Tiles = TilesOf;
        static constexpr WeightFormat kFormat = kFormatOf;
        static constexpr bool kZeros = kZerosOf;
        static constexpr int64_t kMaxRows = kTileRows;  // of what finish() is given

        static void few(const QuantPanel (&panels)[2], const PairInput<SplitInput>& inputs, int64_t rows, int64_t groups, float* sums) {
            panels_times<Vec, PanelSource<Vec, kFormat, kZeros, true>, kFewRows, kMaxRows>(panels, panels[1].data != nullptr, inputs, 0, 0,
                                                                                           rows, groups, sums, true);
        }
    };

    static bool supports(const MatmulArgs& a, const Device& device) {
        return device.level >= TilesOf::kLevel && a.w.format != WeightFormat::kF8 && fits_quantized<Vec>(a);
    }

    static size_t workspace(const MatmulArgs& a, const Device& device) {
        return 2 * std::max(SplitInput::bytes_of(a), TileInput::bytes_of(a)) + scratch_bytes<TileSpace>(device.threads);
    }

    static void run(const MatmulArgs& a, Stream& stream) noexcept {
        with_int_kernel<Kernel>(a, [&](auto kernel) { multiply<decltype(kernel)>(a, stream); });
    }

private:
    template <class KernelOf>
    static void multiply(const MatmulArgs& a, Stream& stream) noexcept {
        Scratch scratch(stream);
        if (a.x.extent[0] <= kFewRows) return quant_deal<KernelOf>(a, make_inputs<SplitInput>(a, scratch, stream), stream);
        const auto inputs = make_inputs<TileInput>(a, scratch, stream);
        auto* spaces = scratch.take<TileSpace>(pool_of(stream).threads());
        share_panels(a, kTileRows, stream, [&](int thread, Range of_panels, Range rows) {
            const typename TilesOf::Session session;
            TileWalk<KernelOf>(a, inputs, of_panels, rows, spaces[thread]).run();
        });
    }
};

}  // namespace hearth::cpu
