// How every variant of matmul on the CPU walks over its matrix; the innermost tile is its own.
//
// y = x w^T over panels of 16 outputs (kernels/weights/weight.h). A tile is two panels times up to Tile::kMaxRows tokens, kept in
// registers. The two panels are gate and up of the same outputs, or two of one weight.
//
// Few tokens (they fit one tile): the panels are dealt out in pieces, and a thread streams a piece in two halves side by side, each from
// its first byte to its last, so that weights are read once and prefetched by hardware and software across the borders of panels. Many: the
// inputs of Tile::kBlockRows tokens and Tile::kResidentDepth k stay in L2 while all panels of the thread pass by, pair by pair; a pair's
// block of Tile::kBlockDepth k stays in L1 for all those tokens, while the next pair's is fetched into L2. Sums wait in scratch between
// blocks of k. Traffic from beyond L2: weights once per kBlockRows tokens. Order of summation: an output is one chain of Tile::tile steps
// in order of k, whatever the number of rows, threads or blocks: a sum that is put aside and taken up again has the same bits.
#pragma once

#include <algorithm>

#include "base/checked.h"
#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/matmul/deal.h"
#include "kernels/cpu/matmul/finish.h"
#include "kernels/cpu/matmul/fits.h"
#include "kernels/cpu/matmul/pairing.h"
#include "kernels/cpu/matmul/share.h"
#include "kernels/cpu/simd.h"
#include "kernels/ops.h"
#include "kernels/scratch.h"
#include "kernels/select.h"
#include "kernels/weights/quant_panels.h"

namespace hearth::cpu {

/// Two panels side by side, from the same k on. `second` is null where one is left over.
struct PanelPair {
    const std::byte* first = nullptr;
    const std::byte* second = nullptr;
};

/// For a tile that has nothing to do in between.
struct Idle {
    void operator()(int64_t) const {}
};

/// Weights to fetch into L2 while a tile is computed: in each of its steps of 32 k so many lines of both panels.
struct WeightsAhead {
    PanelPair from;
    int64_t lines = 0;

    HEARTH_INLINE void fetch(int64_t step) const {
        const std::byte *first = from.first + step * lines * 64, *second = from.second ? from.second + step * lines * 64 : first;
        for (int64_t line = 0; line < lines; ++line) {
            _mm_prefetch(reinterpret_cast<const char*>(first + line * 64), _MM_HINT_T1);
            _mm_prefetch(reinterpret_cast<const char*>(second + line * 64), _MM_HINT_T1);
        }
    }
};

// A Tile is a struct of static members:
//   kMaxRows        tokens of a tile
//   kBlockRows      tokens whose inputs stay in L2, a multiple of kMaxRows
//   kResidentDepth  k of these inputs, a multiple of kBlockDepth
//   kBlockDepth     k of the weights that stay in L1, a multiple of kPanelDepth
//   kKBytes         bytes of one k of a panel
//   Session         what a thread sets up for tiles of so many tokens
//   Input           what it reads of x: input(args, scratch) makes room for it; where packs(args), pack(args, input, rows) fills in rows,
//                   kPackRows at a time
//   kOverlaps       whether it calls meanwhile(step) once in each of its steps of 32 k: that is work which has nothing to do with the
//                   tile's own sums, and hides behind its arithmetic
//   tile(pair, meanwhile, input, row, rows, k range, sums, first)   sums[2][kMaxRows][16] = (first ? 0 : sums) + x w^T

template <class Tile>
constexpr int64_t kTileSums = 2 * Tile::kMaxRows* kPanelRows;

constexpr int64_t kPairsInGroup = 32;  // whose sums wait at a time, where k is deeper than kResidentDepth

/// The pairs of a run of panels: where their weights lie, and where their sums go.
template <class Tile>
class Pairs : public PairOutputs<Vec, Tile::kMaxRows> {
public:
    Pairs(const MatmulArgs& a, Range panels, Pairing pairing)
        : PairOutputs<Vec, Tile::kMaxRows>(a, panels, pairing), bytes_(round_up(a.w.k, kPanelDepth) * Tile::kKBytes) {}

    PanelPair at(int64_t i, int64_t k) const {
        const std::byte *first = this->first_of(i, bytes_), *second = this->second_of(i, bytes_);
        return {first + k * Tile::kKBytes, second ? second + k * Tile::kKBytes : nullptr};
    }

private:
    int64_t bytes_;  // of a panel
};

/// All tokens fit one tile: one pass over the run of panels.
template <class Tile>
void multiply_few(const MatmulArgs& a, const typename Tile::Input& input, Range panels) {
    constexpr int64_t kAheadBytes = 2048;
    alignas(64) float sums[kTileSums<Tile>];
    const Pairs<Tile> pairs(a, panels, Pairing::kHalves);
    const int64_t rows = a.x.extent[0];
    for (int64_t i = 0; i < pairs.count(); ++i) {
        const PanelPair pair = pairs.at(i, 0);
        const WeightsAhead ahead{{pair.first + kAheadBytes, pair.second ? pair.second + kAheadBytes : nullptr},
                                 kPanelDepth * Tile::kKBytes / 64};
        const auto meanwhile = [&](int64_t step) HEARTH_INLINED { ahead.fetch(step); };
        Tile::tile(pair, meanwhile, input, 0, rows, {0, round_up(a.w.k, kPanelDepth)}, sums, true);
        pairs.template finish<false>(i, 0, rows, sums);
    }
}

/// Sums that are complete and not yet in y. A tile that overlaps finishes those of the tile before it, some rows in each step: read at
/// once, they would wait for the unit that still writes them, and the tile unit for the lines of y.
template <class Tile>
class Pending {
public:
    explicit Pending(const Pairs<Tile>& pairs) : pairs_(pairs) {}
    ~Pending() {
        finish(0);
        _mm_sfence();  // outputs may have gone past the caches
    }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    void set(int64_t pair, int64_t row, int64_t rows, const float* sums) {
        pair_ = pair, row_ = row, rows_ = at_once_ = rows, sums_ = sums;
        if constexpr (!Tile::kOverlaps) finish(0), clear();
    }
    void clear() { rows_ = 0; }
    void spread_over(int64_t steps) { at_once_ = ceil_div(rows_, steps); }

    /// The rows of one step.
    HEARTH_INLINE void finish(int64_t step) const {
        const int64_t begin = step * at_once_, end = std::min(rows_, begin + at_once_);
        if (begin < end) pairs_.template finish<Tile::kOverlaps>(pair_, row_ + begin, end - begin, sums_ + begin * kPanelRows);
    }

private:
    const Pairs<Tile>& pairs_;
    int64_t pair_ = 0, row_ = 0, rows_ = 0, at_once_ = 0;
    const float* sums_ = nullptr;
};

/// One pair times one block of tokens, over k in `depth`. sums: [tiles] of kTileSums.
template <class Tile>
void multiply_pair(const MatmulArgs& a, const typename Tile::Input& input, const Pairs<Tile>& pairs, int64_t i, Range rows, Range depth,
                   float* sums, Pending<Tile>& pending) {
    const int64_t end = round_up(a.w.k, kPanelDepth), tiles = ceil_div(rows.size(), Tile::kMaxRows);
    const int64_t next = i + 1 < pairs.count() ? i + 1 : i, lines = ceil_div(kPanelDepth * Tile::kKBytes / 64, tiles);
    for (int64_t k = depth.begin; k < depth.end; k += Tile::kBlockDepth) {
        const Range block{k, std::min(depth.end, k + Tile::kBlockDepth)};
        const PanelPair pair = pairs.at(i, k), fetch = pairs.at(next, k);
        for (int64_t tile = 0; tile < tiles; ++tile) {
            const int64_t row = rows.begin + tile * Tile::kMaxRows, count = std::min(Tile::kMaxRows, rows.end - row);
            const int64_t share = tile * lines * (block.size() / kPanelDepth) * 64;
            const WeightsAhead ahead{{fetch.first + share, fetch.second ? fetch.second + share : nullptr}, lines};
            pending.spread_over(block.size() / kPanelDepth);
            const auto meanwhile = [&](int64_t step) HEARTH_INLINED {
                ahead.fetch(step);
                pending.finish(step);
            };
            float* of_tile = sums + tile * kTileSums<Tile>;
            Tile::tile(pair, meanwhile, input, row, count, block, of_tile, k == 0);
            pending.clear();
            if (block.end == end) pending.set(i, row, count, of_tile);
        }
    }
}

template <class Tile>
void multiply_many(const MatmulArgs& a, const typename Tile::Input& input, Range panels, Range rows, float* sums) {
    const Pairs<Tile> pairs(a, panels, Pairing::kNeighbours);
    Pending<Tile> pending(pairs);
    const int64_t depth = round_up(a.w.k, kPanelDepth),
                  pair_sums = depth > Tile::kResidentDepth ? Tile::kBlockRows / Tile::kMaxRows * kTileSums<Tile> : 0;
    for (int64_t row = rows.begin; row < rows.end; row += Tile::kBlockRows) {
        const Range block{row, std::min(rows.end, row + Tile::kBlockRows)};
        for (int64_t group = 0; group < pairs.count(); group += kPairsInGroup) {
            for (int64_t k = 0; k < depth; k += Tile::kResidentDepth) {
                for (int64_t i = group; i < std::min(pairs.count(), group + kPairsInGroup); ++i) {
                    multiply_pair(a, input, pairs, i, block, {k, std::min(depth, k + Tile::kResidentDepth)}, sums + (i - group) * pair_sums,
                                  pending);
                }
            }
        }
    }
}

/// Scratch for the sums of one thread.
template <class Tile>
constexpr int64_t kThreadSums = kPairsInGroup*(Tile::kBlockRows / Tile::kMaxRows) * kTileSums<Tile>;

template <class Tile>
void multiply(const MatmulArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    const int64_t tokens = a.x.extent[0];
    const typename Tile::Input input = Tile::input(a, scratch);
    const int64_t packs = Tile::packs(a) ? ceil_div(tokens, Tile::kPackRows) : 0;
    share(stream, packs, tokens * a.w.k / 8, [&](Range range) {
        Tile::pack(a, input, {range.begin * Tile::kPackRows, std::min(tokens, range.end * Tile::kPackRows)});
    });
    if (tokens <= Tile::kMaxRows) {
        deal_panels(a, round_up(a.w.k, kPanelDepth) * Tile::kKBytes, stream, [&](auto&& next) {
            const typename Tile::Session session(tokens);
            for (Range piece = next(); piece.size() > 0; piece = next()) multiply_few<Tile>(a, input, piece);
        });
        return;
    }
    auto* sums = scratch.take<float>(pool_of(stream).threads() * kThreadSums<Tile>);
    share_panels(a, Tile::kMaxRows, stream, [&](int thread, Range panels, Range rows) {
        const typename Tile::Session session(Tile::kMaxRows);
        multiply_many<Tile>(a, input, panels, rows, sums + thread * kThreadSums<Tile>);
    });
}

template <class Tile>
size_t multiply_workspace(const MatmulArgs& a, const Device& device) {
    return Tile::input_bytes(a) + scratch_bytes<float>(device.threads * kThreadSums<Tile>);
}

}  // namespace hearth::cpu
