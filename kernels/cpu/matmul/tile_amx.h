// The tile of matmul/bf16_amx: inputs rounded to bf16, multiplied in tiles by tdpbf16ps.
//
// A panel's block of 32 k (1 KiB) is a tile as it lies; inputs are packed into tiles of 16 tokens times 32 k. Two tiles of inputs times two
// panels make four tiles of sums, so that four loads of 1 KiB feed four products of 16 cycles each.
// Traffic for many rows: a pair of panels lies in L1 for a block of k, inputs come from L2. One token uses the same products on tiles of
// one row: the unit then idles, but 1 KiB of weights per 16 cycles is far above any memory. Bound: the tile unit for many rows; memory for
// one. Order of summation: that of the unit within 32 k, then one chain per output, k rising: the same for one row and for many.
#pragma once

#include "kernels/cpu/matmul/driver.h"

namespace hearth::cpu {

constexpr int64_t kTileTokens = 16, kTileDepth = 32, kTileBytes = 1024;
static_assert(kTileDepth == kPanelDepth);

template <class Tiles>
struct AmxTile {
    /// Inputs in tiles, the tiles of one block of k together: [k / block][tokens / 16][block / 32][rows][32], the last block shorter.
    struct Input {
        uint16_t* data = nullptr;
        int64_t rows = 0;   // in a tile: fewer than 16 where there is but one
        int64_t tiles = 0;  // of rows
        int64_t depth = 0;  // k in all, and of a block; all of them where the tokens fit one call
        int64_t block = 0;

        int64_t size() const { return tiles * rows * depth; }
        /// Where the tile of `row` begins its block at `k`, a multiple of `block`; the next tile of the block is tile_size(k) on.
        uint16_t* at(int64_t row, int64_t k) const { return data + tiles * rows * k + row / rows * tile_size(k); }
        int64_t tile_size(int64_t k) const { return rows * std::min(block, depth - k); }
    };
    static constexpr int64_t kMaxRows = 32, kBlockRows = 256, kResidentDepth = 2048, kBlockDepth = 512, kPackRows = 16;
    static constexpr int64_t kKBytes = kPanelRows * 2;

    /// Tiles 0 to 3 are sums, 4 and 5 inputs, 6 and 7 weights.
    struct Session : Tiles::Session {
        explicit Session(int64_t tokens) : Tiles::Session(std::min(tokens, kTileTokens)) {}
    };

    static Input shape(const MatmulArgs& a) {
        const int64_t tokens = a.x.extent[0], rows = std::min(tokens, kTileTokens), depth = round_up(a.w.k, kPanelDepth);
        return {nullptr, rows, ceil_div(tokens, rows), depth, tokens <= kMaxRows ? depth : kBlockDepth};
    }
    static bool packs(const MatmulArgs&) { return true; }
    static size_t input_bytes(const MatmulArgs& a) { return scratch_bytes<uint16_t>(shape(a).size()); }
    static Input input(const MatmulArgs& a, Scratch& scratch) {
        Input input = shape(a);
        input.data = scratch.take<uint16_t>(input.size());
        return input;
    }

    static void pack(const MatmulArgs& a, const Input& input, Range rows) {
        for (int64_t r = rows.begin; r < round_up(rows.end, input.rows); ++r) {
            const float* x = r < rows.end ? a.x.row(r) : nullptr;  // null: fills up the last tile
            for (int64_t begin = 0; begin < input.depth; begin += input.block) {
                auto* out = reinterpret_cast<Bf16*>(input.at(r, begin) + r % input.rows * kTileDepth);
                for (int64_t k = begin; k < std::min(input.depth, begin + input.block); k += kTileDepth, out += input.rows * kTileDepth) {
                    for (int64_t i = 0; i < kTileDepth; i += Vec::kLanes) {
                        const int64_t left = a.w.k - k - i;
                        Vec::store(out + i, !x || left <= 0       ? Vec::zero()
                                            : left >= Vec::kLanes ? Vec::load(x + k + i)
                                                                  : Vec::load(x + k + i, left));
                    }
                }
            }
        }
    }

    /// Sums of panel p, tile t: tile 2 t + p.
    static HEARTH_INLINE float* sums_of(float* sums, int panel, int tile) {
        return sums + (panel * kMaxRows + tile * kTileTokens) * kPanelRows;
    }

    /// 17 to 32 tokens.
    template <class Meanwhile>
    static HEARTH_INLINE void two_tiles(PanelPair pair, const Meanwhile& meanwhile, const uint16_t* x, int64_t stride, int64_t steps,
                                        float* sums, bool first) {
        if (first) {
            Tiles::template zero<0>();
            Tiles::template zero<1>();
            Tiles::template zero<2>();
            Tiles::template zero<3>();
        } else {
            Tiles::template load<0>(sums_of(sums, 0, 0), 64);
            Tiles::template load<1>(sums_of(sums, 1, 0), 64);
            Tiles::template load<2>(sums_of(sums, 0, 1), 64);
            Tiles::template load<3>(sums_of(sums, 1, 1), 64);
        }
        const uint16_t* y = x + stride;
        const std::byte *w = pair.first, *u = pair.second ? pair.second : pair.first;
        for (int64_t step = 0; step < steps; ++step) {
            meanwhile(step);
            Tiles::template load_past<4>(x + step * 512, 64);
            Tiles::template load<6>(w + step * kTileBytes, 64);
            Tiles::template load_past<5>(y + step * 512, 64);
            Tiles::template dot_bf16<0, 4, 6>();
            Tiles::template dot_bf16<2, 5, 6>();
            Tiles::template load<7>(u + step * kTileBytes, 64);
            Tiles::template dot_bf16<1, 4, 7>();
            Tiles::template dot_bf16<3, 5, 7>();
        }
        Tiles::template store<0>(sums_of(sums, 0, 0), 64);
        Tiles::template store<2>(sums_of(sums, 0, 1), 64);
        Tiles::template store<1>(sums_of(sums, 1, 0), 64);
        Tiles::template store<3>(sums_of(sums, 1, 1), 64);
    }

    /// Up to 16 tokens; `rows` of them in a tile.
    template <class Meanwhile>
    static HEARTH_INLINE void one_tile(PanelPair pair, const Meanwhile& meanwhile, const uint16_t* x, int64_t rows, int64_t steps,
                                       float* sums, bool first) {
        if (first) {
            Tiles::template zero<0>();
            Tiles::template zero<1>();
        } else {
            Tiles::template load<0>(sums_of(sums, 0, 0), 64);
            Tiles::template load<1>(sums_of(sums, 1, 0), 64);
        }
        const std::byte *w = pair.first, *u = pair.second ? pair.second : pair.first;
        for (int64_t step = 0; step < steps; ++step, w += kTileBytes, u += kTileBytes) {
            meanwhile(step);
            Tiles::template load<4>(x + step * rows * kTileDepth, 64);
            Tiles::template load<6>(w, 64);
            Tiles::template load<7>(u, 64);
            Tiles::template dot_bf16<0, 4, 6>();
            Tiles::template dot_bf16<1, 4, 7>();
        }
        Tiles::template store<0>(sums_of(sums, 0, 0), 64);
        Tiles::template store<1>(sums_of(sums, 1, 0), 64);
    }

    static bool supports(const MatmulArgs& a, const Device& device) {
        return device.level >= Tiles::kLevel && a.w.format == WeightFormat::kBf16 && fits_panels(a);
    }

    static constexpr bool kOverlaps = true;
    template <class Meanwhile>
    static void tile(PanelPair pair, const Meanwhile& meanwhile, const Input& input, int64_t row, int64_t rows, Range k, float* sums,
                     bool first) {
        const int64_t steps = k.size() / kTileDepth;
        const uint16_t* x = input.at(row, k.begin);
        if (rows > kTileTokens) {
            two_tiles(pair, meanwhile, x, input.tile_size(k.begin), steps, sums, first);
        } else {
            one_tile(pair, meanwhile, x, input.rows, steps, sums, first);
        }
    }
};

}  // namespace hearth::cpu
