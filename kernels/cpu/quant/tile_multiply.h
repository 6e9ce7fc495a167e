// The innermost loop of products on tiles: 32 rows of inputs times two panels, by tdpbf16ps.
//
// Codes of both sides are bf16 exactly, so a group of 32 k is one product of full tiles, whose 16 x 16 sums leave the unit as exact floats
// and are added to float sums by one FMA each: acc = fma(sum of the group, scale of the weight, acc). They pass through L1, and what costs
// is the way out: a tilestored keeps the decoder busy for 17 cycles whatever else waits, as long as the product itself takes (16), which
// runs beside it only where the tile stored is not the one just made. So four products are in flight: while tile p of a group is
// multiplied, tile p of the group before is stored, and sums of the four groups before that are added. Measured, cycles a product: this
// order in registers and 2 KB of L1 25, with one tile of inputs for two panels 28, one for one 34; stored at once 35 to 40; by tdpbssd,
// whose sums need three vector operations, 49. With the weights of 256 k and float sums around it 31, inputs from L2 by tileloaddt1 38 to
// 40, by plain loads 44 to 50, prefetched into L1 52 to 58 (all of it together is more than L1).
#pragma once

#include "kernels/cpu/quant/tile_expand.h"
#include "kernels/cpu/quant/tile_input.h"

namespace hearth::cpu {

/// kTileGroups groups of up to two tiles of inputs and two panels.
struct TileJob {
    const uint16_t* inputs[2];   // tiles of the groups, one after the other
    const float* input_sums[2];  // [groups][16], where the weight has zero points
    const TileGroup* panels[2];
    const float* scales[2];  // [groups][16]
    const float* zeros[2];
    float* sums;  // [tile of inputs][panel][16][16], read (unless `first`) and written
    bool first;
};

/// Sums of single groups on their way from the tile unit to the vectors.
struct alignas(64) TileSums {
    float of[16][kTileRows][kPanelRows];
};

/// Product `p` of a group: which tile of inputs times which panel. A path along which neighbours share one side, also from group to group,
/// so that each step needs one new tile and there is time to load it.
struct TileProduct {
    int input, panel;
};
template <int kInputs>
constexpr TileProduct tile_product(int g, int p) {
    if (kInputs == 1) return {0, p};
    return {p / 2, (p == 1 || p == 2) != (g % 2 == 1) ? 1 : 0};
}

/// Product p into tile p: inputs in tiles 4 and 5 (a single one by turns), panels in 6 and 7.
template <class Tiles, int kInputs, int kG, int kP>
HEARTH_INLINE void multiply_tiles() {
    constexpr TileProduct kProduct = tile_product<kInputs>(kG, kP);
    constexpr int kInput = 4 + (kInputs == 1 ? kG % 2 : kProduct.input);
    Tiles::template zero<kP>();
    Tiles::template dot_bf16<kP, kInput, 6 + kProduct.panel>();
}

/// Inputs come from L2 and pass L1 by: there they would push out weights and waiting sums.
template <class Tiles, int kInputs>
HEARTH_INLINE void load_first_tiles(const TileJob& job) {
    Tiles::template load_past<4>(job.inputs[0], 64);
    if constexpr (kInputs == 2) Tiles::template load_past<5>(job.inputs[1], 64);
    Tiles::template load<6>(job.panels[0][0].tile, 64);
    Tiles::template load<7>(job.panels[1][0].tile, 64);
}

/// After product p of group g: what that was the last to use, of the next group, which may be the first of `after`. So two products or
/// three lie between the load of a tile and its use.
template <class Tiles, int kInputs, int kG, int kP>
HEARTH_INLINE void load_tiles(const TileJob& job, const TileJob& after) {
    constexpr bool kEnds = kG == kTileGroups - 1;
    constexpr int kNext = kEnds ? 0 : kG + 1;
    const TileJob& next = kEnds ? after : job;
    if constexpr (kInputs == 1) {
        if constexpr (kP == 0) Tiles::template load_past<4 + kNext % 2>(next.inputs[0] + kNext * kTileNumbers, 64);
        if constexpr (kP == 0) Tiles::template load<6>(next.panels[0][kNext].tile, 64);
        if constexpr (kP == 1) Tiles::template load<7>(next.panels[1][kNext].tile, 64);
    } else {
        constexpr bool kFree = kP >= 2 && tile_product<2>(kG, kP).panel == 0;  // of panel 0, else 1
        if constexpr (kP == 1) Tiles::template load_past<4>(next.inputs[0] + kNext * kTileNumbers, 64);
        if constexpr (kP == 3) Tiles::template load_past<5>(next.inputs[1] + kNext * kTileNumbers, 64);
        if constexpr (kP >= 2 && kFree) Tiles::template load<6>(next.panels[0][kNext].tile, 64);
        if constexpr (kP >= 2 && !kFree) Tiles::template load<7>(next.panels[1][kNext].tile, 64);
    }
}

/// Where group g of a product waits. With two tiles of inputs the places of one round are taken over by the next in the order in which
/// they are read: rows and columns change their roles from round to round, and 16 KB of L1 do.
template <int kInputs, bool kOdd>
constexpr int tile_place(int g, TileProduct product) {
    const int p = 2 * product.input + product.panel;
    if (kInputs == 1) return (kOdd ? 8 : 0) + g * 2 + p;
    return kOdd ? p * 4 + g : g * 4 + p;
}

/// Adds the sums of `job`, multiplied in the round before, and multiplies `next`, whose first tiles are loaded, as those of `after` are
/// then. Either may be missing (kAdds, kMultiplies), but the last group of `job` is still in the tiles.
template <class Tiles, int kInputs, bool kZeros, bool kOdd, bool kAdds, bool kMultiplies>
HEARTH_NO_SANITIZE void tile_round(const TileJob& job, const TileJob& next, const TileJob& after, TileSums& waiting) {
    constexpr int kProducts = 2 * kInputs, kGroups = static_cast<int>(kTileGroups);
    __m512 acc[kTileRows];
    const auto each = [&](auto&& f) __attribute__((always_inline)) { unroll<static_cast<int>(kTileRows)>(f); };
    unroll<kGroups * kProducts>([&](auto step) __attribute__((always_inline)) {
        if constexpr (kAdds) {
            constexpr int kWhich = step / kGroups, kG = step % kGroups, kInput = kWhich / 2, kPanel = kWhich % 2;
            float* sums = job.sums + kWhich * kTileRows * kPanelRows;
            if constexpr (kG == 0) {
                each([&](auto r) __attribute__((always_inline)) { acc[r] = job.first ? Vec::zero() : Vec::load(sums + r * kPanelRows); });
            }
            const auto& group = waiting.of[tile_place<kInputs, !kOdd>(kG, {kInput, kPanel})];
            const __m512 scale = Vec::load(job.scales[kPanel] + kG * kPanelRows);
            each([&](auto r) __attribute__((always_inline)) {
                __m512 whole = Vec::load(group[r]);
                if constexpr (kZeros) {
                    const __m512 zeros = Vec::load(job.zeros[kPanel] + kG * kPanelRows);
                    whole = Vec::fnma(zeros, Vec::set(job.input_sums[kInput][kG * kTileRows + r]), whole);
                }
                acc[r] = Vec::fma(whole, scale, acc[r]);
            });
            if constexpr (kG == kGroups - 1) {
                each([&](auto r) __attribute__((always_inline)) { Vec::store(sums + r * kPanelRows, acc[r]); });
            }
        }
        constexpr int kP = step % kProducts, kG = step / kProducts, kBefore = kG == 0 ? kGroups - 1 : kG - 1;
        if constexpr (kG == 0 ? kAdds : kMultiplies) {
            constexpr bool kOddBefore = kG == 0 ? !kOdd : kOdd;
            constexpr int kPlace = tile_place<kInputs, kOddBefore>(kBefore, tile_product<kInputs>(kBefore, kP));
            Tiles::template store<kP>(waiting.of[kPlace], 64);
        }
        if constexpr (kMultiplies) {
            multiply_tiles<Tiles, kInputs, kG, kP>();
            load_tiles<Tiles, kInputs, kG, kP>(next, after);
        }
    });
}

/// Jobs 0 to count - 1 in turn: job_of(i), and finished(i) once the sums of job i are written.
template <class Tiles, int kInputs, bool kZeros, class JobOf, class Finished>
void tile_rounds(int64_t count, TileSums& waiting, JobOf&& job_of, Finished&& finished) {
    TileJob last = job_of(0), next = job_of(count > 1 ? 1 : 0);
    load_first_tiles<Tiles, kInputs>(last);
    tile_round<Tiles, kInputs, kZeros, false, false, true>(last, last, next, waiting);
    for (int64_t i = 1; i < count; ++i) {
        const TileJob after = job_of(i + 1 < count ? i + 1 : i);
        if (i % 2) {
            tile_round<Tiles, kInputs, kZeros, true, true, true>(last, next, after, waiting);
        } else {
            tile_round<Tiles, kInputs, kZeros, false, true, true>(last, next, after, waiting);
        }
        finished(i - 1);
        last = next;
        next = after;
    }
    if (count % 2) {
        tile_round<Tiles, kInputs, kZeros, true, true, false>(last, last, last, waiting);
    } else {
        tile_round<Tiles, kInputs, kZeros, false, true, false>(last, last, last, waiting);
    }
    finished(count - 1);
}

}  // namespace hearth::cpu
