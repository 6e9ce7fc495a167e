// Which weights follow which, learnt from one step for the next.
//
// A model multiplies by the same weights in the same order at every step. A stream that remembers the order can have its threads fetch the
// beginning of the next weight while they wait for one another (ThreadPool::fetch_while_waiting), without the caller's saying it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hearth {

/// The panels of one product, as they lie: of one weight, or of gate and up.
struct PanelRuns {
    const std::byte* first = nullptr;
    const std::byte* second = nullptr;  // of `up`, or null
    int64_t panels = 0, panel_bytes = 0;
    friend bool operator==(const PanelRuns&, const PanelRuns&) = default;
};

/// Keeps the last 1024 weights or so (a model of 200 layers); never reads through a pointer, so weights may go at any time. A guess that is
/// wrong costs what fetching costs. Of one stream: one thread at a time.
class WeightOrder {
public:
    /// Notes that `runs` is multiplied by now; returns what followed it the last time, or nothing.
    PanelRuns followed(const PanelRuns& runs);

private:
    struct Entry {
        const std::byte* of = nullptr;
        PanelRuns next;
    };
    static size_t slot(const std::byte* weight);

    std::array<Entry, 1024> entries_{};
    const std::byte* last_ = nullptr;
};

}  // namespace hearth
