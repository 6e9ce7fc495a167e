// How the matmul variants of quantised weights walk over their matrix; what a panel is multiplied with is a Kernel's own.
//
// Two panels at a time: gate and up of the same outputs, or two of one weight. Few rows of inputs (up to Kernel::kFewRows): each thread
// owns a contiguous run of panels and streams it in two halves side by side, each from its first byte to its last, unpacking in registers.
// Many: kBlockDepth k of two panels are expanded into L1 once and multiplied with all tiles of a block of rows, whose sums wait in scratch
// from one block of k to the next; the next block of k is fetched meanwhile.
#pragma once

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/matmul/deal.h"
#include "kernels/cpu/matmul/finish.h"
#include "kernels/cpu/matmul/pairing.h"
#include "kernels/cpu/quant/expand.h"
#include "kernels/scratch.h"
#include "kernels/select.h"

namespace hearth::cpu {

// A Kernel is a struct of static members, for one format, with or without zero points:
//   kFormat, kZeros
//   kMaxRows, kFewRows, kBlockRows, kBlockDepth   rows of a tile, rows up to which few() is used (0: there is none), most rows and k (a
//                                                 multiple of 64) of a block
//   Block     kBlockDepth k of one panel, expanded
//   Input     what it reads of x: bytes_of(a), make(a, scratch), pack(a, columns, range of rows), rows_to_pack(a), row_bytes(a)
//   few(panels, inputs, rows, groups, sums)       sums[2][kMaxRows][16] of up to kFewRows rows; panels[1].data may be null
//   expand(panel, first group, groups, block)
//   multiply(blocks, inputs, range of rows, first group, groups, sums, first, before, after)
//             sums = (first ? 0 : sums) + product; blocks[1] may be null. sums[tiles][2][kMaxRows][16]; calls before(tile) and after(tile)
//             once for each

template <class Kernel>
constexpr int64_t kQuantTileSums = 2 * Kernel::kMaxRows* kPanelRows;

/// The inputs of both panels: the same, but where gate and up permute their columns differently.
template <class Input>
struct PairInput {
    Input of[2];
    bool same = true;
};

/// Pair by pair through a run of panels.
template <class Kernel>
class QuantPairs {
public:
    QuantPairs(const MatmulArgs& a, Range panels, Pairing pairing)
        : a_(a), numbers_(static_cast<bool>(a.up), panels, pairing), bytes_(panel_bytes(Kernel::kFormat, Kernel::kZeros, a.w.k)) {}

    int64_t count() const { return numbers_.count(); }
    QuantPanel first(int64_t i) const { return panel(a_.w, numbers_.first(i)); }
    QuantPanel second(int64_t i) const { return numbers_.has_second(i) ? panel(a_.up ? a_.up : a_.w, numbers_.second(i)) : QuantPanel{}; }

    /// Lines of y that finish() will write.
    void fetch(int64_t i, int64_t row, int64_t rows) const {
        for (int64_t r = row; r < row + rows; ++r) {
            __builtin_prefetch(a_.y.row(r) + numbers_.first(i) * kPanelRows, 1);
            if (!a_.up && numbers_.has_second(i)) __builtin_prefetch(a_.y.row(r) + numbers_.second(i) * kPanelRows, 1);
        }
    }

    void finish(int64_t i, int64_t row, int64_t rows, const float* sums) const {
        const float* second = sums + Kernel::kMaxRows * kPanelRows;
        if (a_.up) {
            finish_gated<Vec>(a_, numbers_.first(i), row, rows, sums, second);
        } else {
            finish_plain<Vec>(a_, numbers_.first(i), row, rows, sums);
            if (numbers_.has_second(i)) finish_plain<Vec>(a_, numbers_.second(i), row, rows, second);
        }
    }

private:
    QuantPanel panel(const Weight& w, int64_t i) const { return {static_cast<const std::byte*>(w.data) + i * bytes_, &w.levels}; }

    const MatmulArgs& a_;
    PairNumbers numbers_;
    int64_t bytes_;
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

template <class Kernel, class Inputs>
void quant_many(const MatmulArgs& a, const Inputs& inputs, Range panels, Range all_rows, QuantSpace<Kernel>& space) {
    constexpr int64_t kBlockGroups = Kernel::kBlockDepth / kQuantGroup, kBytes = block_bytes(Kernel::kFormat, Kernel::kZeros);
    const QuantPairs<Kernel> pairs(a, panels, Pairing::kNeighbours);
    const int64_t groups = groups_of(a.w), fit = kInputBytes / Kernel::Input::row_bytes(a) / Kernel::kMaxRows * Kernel::kMaxRows;
    const int64_t block_rows = std::clamp(fit, Kernel::kMaxRows, Kernel::kBlockRows);
    for (int64_t begin = all_rows.begin; begin < all_rows.end; begin += block_rows) {
        const int64_t end = std::min(all_rows.end, begin + block_rows), tiles = ceil_div(end - begin, Kernel::kMaxRows);
        for (int64_t i = 0; i < pairs.count(); ++i) {
            const QuantPanel pair[2] = {pairs.first(i), pairs.second(i)};
            for (int64_t g = 0; g < groups; g += kBlockGroups) {
                const int64_t count = std::min(kBlockGroups, groups - g), lines = ceil_div<int64_t>(count / 2 * kBytes, 64),
                              of_tile = ceil_div(lines, tiles);
                Kernel::expand(pair[0], g, count, space.blocks[0]);
                if (pair[1].data) Kernel::expand(pair[1], g, count, space.blocks[1]);
                const typename Kernel::Block* const blocks[2] = {&space.blocks[0], pair[1].data ? &space.blocks[1] : nullptr};
                const bool last = g + count == groups;
                const auto row_of = [&](int64_t tile) { return begin + tile * Kernel::kMaxRows; };
                const auto rows_of = [&](int64_t tile) { return std::min(Kernel::kMaxRows, end - row_of(tile)); };
                const auto before = [&](int64_t tile) {
                    for (const QuantPanel& panel : pair) {
                        const std::byte* next = panel.data + (g + count) / 2 * kBytes + tile * of_tile * 64;
                        for (int64_t line = 0; panel.data && line < of_tile; ++line)
                            _mm_prefetch(reinterpret_cast<const char*>(next + line * 64), _MM_HINT_T1);
                    }
                    if (last) pairs.fetch(i, row_of(tile), rows_of(tile));
                };
                const auto after = [&](int64_t tile) {
                    if (last) pairs.finish(i, row_of(tile), rows_of(tile), space.sums + tile * kQuantTileSums<Kernel>);
                };
                Kernel::multiply(blocks, inputs, {begin, end}, g, count, space.sums, g == 0, before, after);
            }
        }
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

/// f(thread, panels, rows) on all threads, which share the panels; where there are few of those, also the rows, by tiles.
template <class F>
void share_panels(const MatmulArgs& a, int64_t tile_rows, Stream& stream, F&& f) noexcept {
    ThreadPool& pool = pool_of(stream);
    const int64_t tokens = a.x.extent[0], panels = ceil_div(a.w.n, kPanelRows), threads = pool.threads(),
                  tiles = ceil_div(tokens, tile_rows), columns = std::clamp<int64_t>(panels / 2, 1, threads), row_parts = threads / columns;
    pool.run([&](int thread) {
        if (thread >= columns * row_parts) return;
        const Range part = part_of(tiles, thread / columns, row_parts);
        f(thread, part_of(panels, thread % columns, columns), Range{part.begin * tile_rows, std::min(tokens, part.end * tile_rows)});
    });
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

/// What every variant asks: panels of one format and shape, rows of y and x that are dense.
template <class V>
HEARTH_INLINE bool fits_quantized(const MatmulArgs& a) {
    const auto dense = [](const auto& v) { return v.stride[1] == 1 || v.extent[1] <= 1; };
    const auto alike = [](const Weight& v, const Weight& w) {
        return v.layout == w.layout && v.format == w.format && v.n == w.n && v.k == w.k && v.has_zeros == w.has_zeros;
    };
    return is_quantized(a.w.format) && a.w.layout == WeightLayout::kPanels && (!a.up || alike(a.w, a.up)) && dense(a.x) && dense(a.y) &&
           (!a.residual.data || dense(a.residual)) && !(a.up && a.residual.data);
}

}  // namespace hearth::cpu
