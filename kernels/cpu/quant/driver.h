// How the matmul variants of quantised weights walk over their matrix; what a panel is multiplied with is a Kernel's own.
//
// Two panels at a time: gate and up of the same outputs, or two of one weight. Few rows of inputs (up to Kernel::kFewRows): each thread
// is dealt runs of panels and streams a run in two halves side by side, each from its first byte to its last, unpacking in registers.
// Many: kExpandedDepth k of two panels are expanded into L1 once and multiplied with all tiles of a block of rows, whose sums wait in
// scratch from one block of k to the next; the next block of k is fetched meanwhile.
#pragma once

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/matmul/deal.h"
#include "kernels/cpu/matmul/finish.h"
#include "kernels/cpu/matmul/fits.h"
#include "kernels/cpu/matmul/pairing.h"
#include "kernels/cpu/matmul/share.h"
#include "kernels/cpu/quant/expand.h"
#include "kernels/scratch.h"
#include "kernels/select.h"

namespace hearth::cpu {

// A Kernel is a struct of static members, for one format, with or without zero points:
//   kFormat, kZeros
//   kMaxRows        rows of inputs of a tile
//   kFewRows        most rows for which few() is used; 0 where there is no few()
//   kBlockRows      most rows of a block
//   kExpandedDepth  k that are expanded at a time, a multiple of 64
//   Block           kExpandedDepth k of one panel, expanded
//   Input           what it reads of x: bytes_of(a), row_bytes(a), rows_to_pack(a), make(a, scratch), pack(a, columns, range of rows)
//   few(panels, inputs, rows, groups, sums)   sums[2][kMaxRows][16] of up to kFewRows rows; panels[1].data may be null
//   expand(panel, first group, groups, block)
//   tile(blocks, inputs, row, rows, first group, groups, sums, first)
//                   sums[2][kMaxRows][16] = (first ? 0 : sums) + product; blocks[1] may be null

/// The numbers that a Kernel begins with.
template <WeightFormat kFormatOf, bool kZerosOf, int64_t kMaxRowsOf, int64_t kFewRowsOf, int64_t kBlockRowsOf, int64_t kExpandedDepthOf>
struct KernelShape {
    static constexpr WeightFormat kFormat = kFormatOf;
    static constexpr bool kZeros = kZerosOf;
    static constexpr int64_t kMaxRows = kMaxRowsOf, kFewRows = kFewRowsOf, kBlockRows = kBlockRowsOf, kExpandedDepth = kExpandedDepthOf;
    static_assert(kBlockRows % kMaxRows == 0 && kFewRows <= kMaxRows && kExpandedDepth % kBlockDepth == 0);
};

template <class Kernel>
constexpr int64_t kQuantTileSums = 2 * Kernel::kMaxRows* kPanelRows;

/// The inputs of both panels: the same, but where gate and up permute their columns differently.
template <class Input>
struct PairInput {
    Input of[2];
    bool same = true;

    /// Calls f(count, first panel, input) for both panels at once where they read the same input, else for each by itself; `count` is a
    /// constant. `both`: there is a second panel.
    template <class F>
    HEARTH_INLINE void for_panels(bool both, F&& f) const {
        constexpr std::integral_constant<int, 1> kOne{};
        if (both && same) return f(std::integral_constant<int, 2>{}, 0, of[0]);
        f(kOne, 0, of[0]);
        if (both) f(kOne, 1, of[1]);
    }
};

/// The pairs of a run of panels: where their weights lie, and where their sums go.
template <class Kernel>
class QuantPairs : public PairOutputs<Vec, Kernel::kMaxRows> {
public:
    QuantPairs(const MatmulArgs& a, Range panels, Pairing pairing)
        : PairOutputs<Vec, Kernel::kMaxRows>(a, panels, pairing), bytes_(panel_bytes(Kernel::kFormat, Kernel::kZeros, a.w.k)) {}

    QuantPanel first(int64_t i) const { return {this->first_of(i, bytes_), &this->first_weight().levels}; }
    QuantPanel second(int64_t i) const { return {this->second_of(i, bytes_), &this->second_weight().levels}; }

private:
    int64_t bytes_;  // of a panel
};

HEARTH_INLINE int64_t groups_of(const Weight& w) { return round_up(w.k, kBlockDepth) / kQuantGroup; }

template <class Kernel, class Inputs>
void quant_few(const MatmulArgs& a, const Inputs& inputs, Range panels) {
    alignas(64) float sums[kQuantTileSums<Kernel>];
    const QuantPairs<Kernel> pairs(a, panels, Pairing::kHalves);
    const int64_t rows = a.x.extent[0];
    for (int64_t i = 0; i < pairs.count(); ++i) {
        const QuantPanel pair[2] = {pairs.first(i), pairs.second(i)};
        Kernel::few(pair, inputs, rows, groups_of(a.w), sums);
        pairs.finish(i, 0, rows, sums);
    }
}

/// Scratch of one thread for many rows.
template <class Kernel>
struct QuantSpace {
    typename Kernel::Block blocks[2];
    alignas(64) float sums[Kernel::kBlockRows / Kernel::kMaxRows * kQuantTileSums<Kernel>];
};

constexpr int64_t kInputBytes = 1 << 20;  // of a block of rows, in L2 next to weights and sums

/// One block of rows times one pair, whose k are expanded run by run.
template <class Kernel, class Inputs>
void quant_pair(const MatmulArgs& a, const Inputs& inputs, const QuantPairs<Kernel>& pairs, int64_t i, Range rows,
                QuantSpace<Kernel>& space) {
    constexpr int64_t kRunGroups = Kernel::kExpandedDepth / kQuantGroup, kBytes = block_bytes(Kernel::kFormat, Kernel::kZeros);
    const QuantPanel pair[2] = {pairs.first(i), pairs.second(i)};
    const typename Kernel::Block* const blocks[2] = {&space.blocks[0], pair[1].data ? &space.blocks[1] : nullptr};
    const int64_t groups = groups_of(a.w), tiles = ceil_div(rows.size(), Kernel::kMaxRows);
    for (int64_t g = 0; g < groups; g += kRunGroups) {
        const int64_t count = std::min(kRunGroups, groups - g), lines = ceil_div<int64_t>(count / 2 * kBytes, 64),
                      of_tile = ceil_div(lines, tiles);
        Kernel::expand(pair[0], g, count, space.blocks[0]);
        if (pair[1].data) Kernel::expand(pair[1], g, count, space.blocks[1]);
        const bool last = g + count == groups;
        for (int64_t tile = 0; tile < tiles; ++tile) {
            const int64_t row = rows.begin + tile * Kernel::kMaxRows, in_tile = std::min(Kernel::kMaxRows, rows.end - row);
            float* sums = space.sums + tile * kQuantTileSums<Kernel>;
            for (const QuantPanel& panel : pair) {  // the tile's share of what follows
                const std::byte* next = panel.data + (g + count) / 2 * kBytes + tile * of_tile * 64;
                for (int64_t line = 0; panel.data && line < of_tile; ++line)
                    _mm_prefetch(reinterpret_cast<const char*>(next + line * 64), _MM_HINT_T1);
            }
            if (last) pairs.fetch(i, row, in_tile);
            Kernel::tile(blocks, inputs, row, in_tile, g, count, sums, g == 0);
            if (last) pairs.finish(i, row, in_tile, sums);
        }
    }
}

template <class Kernel, class Inputs>
void quant_many(const MatmulArgs& a, const Inputs& inputs, Range panels, Range rows, QuantSpace<Kernel>& space) {
    const QuantPairs<Kernel> pairs(a, panels, Pairing::kNeighbours);
    const int64_t fit = kInputBytes / Kernel::Input::row_bytes(a) / Kernel::kMaxRows * Kernel::kMaxRows;
    const int64_t block_rows = std::clamp(fit, Kernel::kMaxRows, Kernel::kBlockRows);
    for (int64_t row = rows.begin; row < rows.end; row += block_rows) {
        for (int64_t i = 0; i < pairs.count(); ++i) quant_pair(a, inputs, pairs, i, {row, std::min(rows.end, row + block_rows)}, space);
    }
}

/// Whether w and up, if there is one, read the columns of x in the same order.
HEARTH_INLINE bool same_columns(const MatmulArgs& a) {
    if (!a.up || a.up.columns == a.w.columns) return true;
    return a.up.columns && a.w.columns && std::memcmp(a.up.columns, a.w.columns, static_cast<size_t>(a.w.k) * sizeof(int32_t)) == 0;
}

/// The inputs of both panels, in scratch memory, filled by all threads.
template <class Input>
PairInput<Input> make_inputs(const MatmulArgs& a, Scratch& scratch, Stream& stream) {
    PairInput<Input> inputs{{}, same_columns(a)};
    for (int i = 0; i < (inputs.same ? 1 : 2); ++i) {
        inputs.of[i] = Input::make(a, scratch);
        const int32_t* columns = i == 0 ? a.w.columns : a.up.columns;
        share(stream, Input::rows_to_pack(a), Input::rows_to_pack(a) * a.w.k / 8, [&](Range rows) { inputs.of[i].pack(a, columns, rows); });
    }
    if (inputs.same) inputs.of[1] = inputs.of[0];
    return inputs;
}

/// A few rows: each thread goes through the pieces that it is dealt.
template <class Kernel, class Inputs>
void quant_deal(const MatmulArgs& a, const Inputs& inputs, Stream& stream) noexcept {
    deal_panels(a, panel_bytes(Kernel::kFormat, Kernel::kZeros, a.w.k), stream, [&](auto&& next) {
        for (Range piece = next(); piece.size() > 0; piece = next()) quant_few<Kernel>(a, inputs, piece);
    });
}

template <class Kernel>
void quant_multiply(const MatmulArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    ThreadPool& pool = pool_of(stream);
    const auto inputs = make_inputs<typename Kernel::Input>(a, scratch, stream);
    if constexpr (Kernel::kFewRows > 0) {
        if (a.x.extent[0] <= Kernel::kFewRows) return quant_deal<Kernel>(a, inputs, stream);
    }
    auto* spaces = scratch.take<QuantSpace<Kernel>>(pool.threads());
    share_panels(a, Kernel::kMaxRows, stream,
                 [&](int thread, Range panels, Range rows) { quant_many<Kernel>(a, inputs, panels, rows, spaces[thread]); });
}

template <class Kernel>
size_t quant_workspace(const MatmulArgs& a, const Device& device) {
    return 2 * Kernel::Input::bytes_of(a) + scratch_bytes<QuantSpace<Kernel>>(device.threads);
}

/// What every variant asks.
template <class V>
HEARTH_INLINE bool fits_quantized(const MatmulArgs& a) {
    return is_quantized(a.w.format) && fits_panels(a);
}

}  // namespace hearth::cpu
