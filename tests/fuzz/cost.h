// What an input cost: the work bounds of the targets.
#pragma once

#include <ctime>
#include <string_view>

#include "tests/fuzz/target.h"

namespace hearth::fuzz {

/// Processor time of this thread: what other programs of the machine do is no part of it.
class ThreadTime {
public:
    double seconds() const { return now() - begin_; }

private:
    static double now() {
        timespec at{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
        return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
    }
    double begin_ = now();
};

/// Memory that this thread took while it lives and has not given back, at most. Counted under the address sanitizer, whose allocator tells;
/// zero in other builds, where the bounds that hang on it hold without being looked at. One at a time in a process.
class PeakMemory {
public:
    PeakMemory();
    ~PeakMemory();
    PeakMemory(const PeakMemory&) = delete;
    PeakMemory& operator=(const PeakMemory&) = delete;
    long bytes() const;
};

}  // namespace hearth::fuzz
