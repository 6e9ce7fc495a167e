// Which panels a matmul takes side by side.
#pragma once

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

}  // namespace hearth::cpu
