// Few tokens: the panels of a product are dealt out in pieces, and who waits fetches the first pieces of the next product.
//
// Memory is idle while threads wait for the last of them, and while one of them normalises and quantises the next input: 15 us a stage of
// 80 to 200 us. A thread's first piece of the next weight reaches its L2 in that time.
#pragma once

#include <algorithm>

#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/matmul/pairing.h"

namespace hearth::cpu {

/// Panels of each weight that a thread is dealt at a time.
static inline int64_t piece_of(const PanelRuns& runs, int threads) {
    return panels_of_piece(runs.panels, (runs.second ? 2 : 1) * runs.panel_bytes, threads);
}

/// What thread `thread` reads first of `runs`, in the order in which it will: both panels of its first pairs side by side.
static inline Upcoming first_piece(const PanelRuns& runs, int thread, int threads) {
    constexpr int64_t kMost = 256 << 10;  // of both streams: leaves room in L2 for what is in use
    if (runs.panels == 0) return {};
    const bool gated = runs.second != nullptr;
    const int64_t piece = piece_of(runs, threads);
    const Range part = part_of(runs.panels, thread, threads);
    const Range panels{part.begin, std::min(part.end, part.begin + piece)};
    if (panels.size() <= 0) return {};
    const PairNumbers pairs(gated, panels, Pairing::kHalves);
    const auto at = [&](const std::byte* run, int64_t panel) { return run + panel * runs.panel_bytes; };
    return {{at(runs.first, pairs.first(0)), pairs.has_second(0) ? at(gated ? runs.second : runs.first, pairs.second(0)) : nullptr},
            std::min(kMost / 2, pairs.count() * runs.panel_bytes)};
}

/// Calls f(next) once on each thread; next() gives its next panels, none at the end. `panel_bytes`: of one panel of one weight.
template <class F>
void deal_panels(const MatmulArgs& a, int64_t panel_bytes, Stream& stream, F&& f) noexcept {
    CpuStream& cpu = static_cast<CpuStream&>(stream);
    ThreadPool& pool = cpu.pool();
    const PanelRuns runs{static_cast<const std::byte*>(a.w.data), static_cast<const std::byte*>(a.up.data), ceil_div(a.w.n, kPanelRows),
                         panel_bytes};
    const PanelRuns next_runs = cpu.weight_order().followed(runs);
    pool.fetch_while_waiting([&](int thread) { return first_piece(next_runs, thread, pool.threads()); });
    pool.run_pieces(runs.panels, piece_of(runs, pool.threads()), [&](int, auto&& next) { f(next); });
}

}  // namespace hearth::cpu
