// Which panels a matmul takes side by side.
#pragma once

#include <algorithm>

#include "base/checked.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/ops.h"

namespace hearth::cpu {

/// Which panels of one weight make a pair. (With `up`, a pair is gate and up of the same outputs.)
enum class Pairing : uint8_t {
    kHalves,      // two long streams of weights, each through half of the run
    kNeighbours,  // outputs of whole pairs of cache lines
};

/// The pairs of a run of panels, by number.
class PairNumbers {
public:
    PairNumbers(bool gated, Range panels, Pairing pairing)
        : gated_(gated),
          panels_(panels),
          count_(gated ? panels.size() : ceil_div<int64_t>(panels.size(), 2)),
          step_(!gated && pairing == Pairing::kNeighbours ? 2 : 1),
          apart_(pairing == Pairing::kNeighbours ? 1 : count_) {}

    int64_t count() const { return count_; }
    int64_t first(int64_t i) const { return panels_.begin + i * step_; }
    int64_t second(int64_t i) const { return gated_ ? first(i) : first(i) + apart_; }
    bool has_second(int64_t i) const { return gated_ || second(i) < panels_.end; }

private:
    bool gated_;
    Range panels_;
    int64_t count_, step_, apart_;
};

/// Panels that a thread takes at a time when there are few tokens: 64 to 256 KiB of weights, eight pieces a thread or more; pairs stay
/// whole.
inline int64_t panels_of_piece(int64_t panels, int64_t panel_bytes, int64_t threads) {
    const int64_t bytes = std::clamp<int64_t>(panels * panel_bytes / (8 * threads), 64 << 10, 256 << 10);
    return round_up<int64_t>(std::max<int64_t>(1, bytes / panel_bytes), 2);
}

}  // namespace hearth::cpu
