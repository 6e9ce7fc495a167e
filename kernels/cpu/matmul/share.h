// How the threads of a pool share a product of many tokens; a product of few is dealt out in pieces (deal.h).
#pragma once

#include <algorithm>

#include "base/checked.h"
#include "kernels/cpu/cpu_stream.h"
#include "kernels/ops.h"

namespace hearth::cpu {

/// Calls f(thread, panels, rows) on all threads, which share the panels of 16 outputs. Where there are fewer than two panels a thread, they
/// share the rows of x too, in whole tiles of `tile_rows`.
template <class F>
void share_panels(const MatmulArgs& a, int64_t tile_rows, Stream& stream, F&& f) noexcept {
    ThreadPool& pool = pool_of(stream);
    const int64_t tokens = a.x.extent[0], panels = ceil_div(a.w.n, kPanelRows), tiles = ceil_div(tokens, tile_rows);
    const int64_t columns = std::clamp<int64_t>(panels / 2, 1, pool.threads()), row_parts = pool.threads() / columns;
    pool.run([&](int thread) {
        if (thread >= columns * row_parts) return;
        const Range part = part_of(tiles, thread / columns, row_parts);
        f(thread, part_of(panels, thread % columns, columns), Range{part.begin * tile_rows, std::min(tokens, part.end * tile_rows)});
    });
}

}  // namespace hearth::cpu
