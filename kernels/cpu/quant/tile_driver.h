// How matmul/q_amx walks over its matrix for many rows of inputs.
//
// A block of up to 512 rows, and as many k of it as fill half of L2, stays there while a thread's panels pass in pairs. 256 k of a pair are
// expanded into L1 (16 KB) and multiplied with all rows of the block; their float sums wait in scratch from one run of k to the next. Where
// all k of the rows do not fit L2 at once, 16 pairs at a time are taken through one part of k after the other: expanding once for 512 rows
// is worth more than keeping all k of 256.
#pragma once

#include "kernels/cpu/quant/driver.h"
#include "kernels/cpu/quant/tile_multiply.h"

namespace hearth::cpu {

constexpr int64_t kTileBlockRows = 512, kTileBlockGroups = 8, kTilePairs = 16;
constexpr int64_t kTileRowBytes = kQuantGroup * 2;  // of a group of one row

/// Scratch of one thread.
struct alignas(64) TileSpace {
    TileBlock<kTileBlockGroups> blocks[2];
    TileSums waiting;
    float sums[kTilePairs][kTileBlockRows / kTileRows][2][kTileRows][kPanelRows];
};

/// One thread's panels times the rows [rows.begin, rows.end), rows.begin a multiple of kTileRows.
template <class Kernel>
class TileWalk {
public:
    TileWalk(const MatmulArgs& a, const PairInput<TileInput>& inputs, Range panels, Range rows, TileSpace& space)
        : a_(a), inputs_(inputs), pairs_(a, panels, Pairing::kNeighbours), rows_(rows), groups_(inputs.of[0].groups), space_(space) {}

    void run() {
        const int64_t row_blocks = ceil_div(rows_.size(), kTileBlockRows), tiles = ceil_div(rows_.size(), kTileRows);
        for (int64_t b = 0; b < row_blocks; ++b) {
            const Range part = part_of(tiles, b, row_blocks);
            block_ = {rows_.begin + part.begin * kTileRows, std::min(rows_.end, rows_.begin + part.end * kTileRows)};
            const int64_t runs = ceil_div(groups_, kTileBlockGroups),
                          fit = std::max<int64_t>(1, kInputBytes / (part.size() * kTileRows * kTileRowBytes * kTileBlockGroups)),
                          parts = ceil_div(runs, fit), at_once = parts == 1 ? 1 : kTilePairs;
            for (int64_t first = 0; first < pairs_.count(); first += at_once) {
                const int64_t end = std::min(pairs_.count(), first + at_once);
                for (int64_t p = 0; p < parts; ++p) {
                    const Range of_k = part_of(runs, p, parts);
                    for (int64_t i = first; i < end; ++i)
                        multiply_pair(i, {of_k.begin * kTileBlockGroups, std::min(groups_, of_k.end * kTileBlockGroups)},
                                      space_.sums[i - first]);
                }
            }
        }
    }

private:
    using PairSums = float[kTileBlockRows / kTileRows][2][kTileRows][kPanelRows];

    void multiply_pair(int64_t pair, Range groups, PairSums& sums) {
        const QuantPanel panels[2] = {pairs_.first(pair), pairs_.second(pair)};
        for (int64_t g = groups.begin; g < groups.end; g += kTileBlockGroups) {
            const int64_t count = std::min(kTileBlockGroups, groups.end - g);
            for (int i = 0; i < (inputs_.same ? 1 : 2); ++i) {  // where inputs differ, either panel alone beside one of zeros
                for (int p = 0; p < 2; ++p) {
                    const bool wanted = inputs_.same || p == i;
                    expand_tiles<Kernel::kFormat, Kernel::kZeros>(wanted ? panels[p] : QuantPanel{}, g, count, groups_of(a_.w),
                                                                  space_.blocks[p]);
                }
                const bool last = g + count == groups_ && (inputs_.same || i == 1);
                multiply_rows(pair, panels, inputs_.of[i], {g, g + count}, g == 0 && i == 0, last, sums);
            }
        }
    }

    void multiply_rows(int64_t pair, const QuantPanel (&panels)[2], const TileInput& input, Range groups, bool first, bool last,
                       PairSums& sums) {
        const int64_t tiles = ceil_div(block_.size(), kTileRows), twos = tiles / 2, rounds = groups.size() / kTileGroups;
        const Fetch fetch(*this, pair, panels, groups, (tiles + 1) / 2 * rounds);
        const auto step = [&](int64_t first_tile, int64_t of, auto inputs) {
            const auto job_of = [&](int64_t i) {
                const int64_t tile = first_tile + i / rounds * inputs, round = i % rounds;
                fetch.lines(first_tile / 2 * rounds + i);
                if (last && round == rounds - 1) pairs_.fetch(pair, row_of(tile), rows_of(tile, inputs));
                return job(input, tile, groups.begin, round * kTileGroups, inputs, first && round == 0, sums[tile][0][0]);
            };
            const auto finished = [&](int64_t i) {
                if (!last || i % rounds != rounds - 1) return;
                for (int64_t tile = first_tile + i / rounds * inputs, end = tile + inputs; tile < end; ++tile)
                    pairs_.finish(pair, row_of(tile), rows_of(tile, 1), sums[tile][0][0]);
            };
            tile_rounds<typename Kernel::Tiles, inputs, Kernel::kZeros>(of * rounds, space_.waiting, job_of, finished);
        };
        if (twos > 0) step(0, twos, std::integral_constant<int, 2>{});
        if (tiles % 2) step(tiles - 1, 1, std::integral_constant<int, 1>{});
    }

    TileJob job(const TileInput& input, int64_t tile, int64_t group, int64_t in_block, int64_t inputs, bool first, float* sums) const {
        TileJob job{};
        for (int64_t i = 0; i < inputs; ++i) {
            job.inputs[i] = input.tile(row_of(tile + i), group + in_block);
            job.input_sums[i] = input.sums_of(row_of(tile + i), group + in_block);
        }
        for (int p = 0; p < 2; ++p) {
            job.panels[p] = space_.blocks[p].groups + in_block;
            job.scales[p] = space_.blocks[p].scales[in_block];
            job.zeros[p] = space_.blocks[p].zeros[in_block];
        }
        job.sums = sums;
        job.first = first;
        return job;
    }

    /// The next run of weights, of this pair or the next, fetched while this one is multiplied.
    class Fetch {
    public:
        Fetch(const TileWalk& walk, int64_t pair, const QuantPanel (&panels)[2], Range groups, int64_t jobs)
            : next_{panels[0].data, panels[1].data} {
            constexpr int64_t kBytes = block_bytes(Kernel::kFormat, Kernel::kZeros);
            const bool ends = groups.end >= walk.groups_, more = pair + 1 < walk.pairs_.count();
            if (ends && more) next_[0] = walk.pairs_.first(pair + 1).data, next_[1] = walk.pairs_.second(pair + 1).data;
            lines_ = ends && !more ? 0 : ceil_div(ceil_div(kTileBlockGroups / 2 * kBytes, kLine), jobs);
            for (const std::byte*& panel : next_) {
                if (panel && !ends) panel += groups.end / 2 * kBytes;
            }
        }
        void lines(int64_t job) const {
            for (const std::byte* panel : next_) {
                for (int64_t i = 0; panel && i < lines_; ++i)
                    _mm_prefetch(reinterpret_cast<const char*>(panel + (job * lines_ + i) * kLine), _MM_HINT_T1);
            }
        }

    private:
        static constexpr int64_t kLine = 64;
        const std::byte* next_[2];
        int64_t lines_;
    };

    int64_t row_of(int64_t tile) const { return block_.begin + tile * kTileRows; }
    int64_t rows_of(int64_t tile, int64_t tiles) const { return std::min(tiles * kTileRows, block_.end - row_of(tile)); }

    const MatmulArgs& a_;
    const PairInput<TileInput>& inputs_;
    QuantPairs<Kernel> pairs_;
    Range rows_, block_;
    int64_t groups_;
    TileSpace& space_;
};

}  // namespace hearth::cpu
