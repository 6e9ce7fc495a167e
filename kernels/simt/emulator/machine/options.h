// How a run is scheduled and what it looks for.
#pragma once

#include <cstdint>

namespace hearth::simt {

enum class Schedule : uint8_t {
    kForward,  // threads and blocks in rising order
    kReverse,
    kRandom,  // by seed
};

/// When an asynchronous copy moves its bytes. Hardware does so at any time between; a right kernel cannot tell.
enum class Landing : uint8_t {
    kAtWait,   // as late as may be: finds missing waits
    kAtIssue,  // as early as may be: finds stages that are reused too early
};

struct Options {
    Schedule schedule = Schedule::kForward;
    uint64_t seed = 1;
    Landing landing = Landing::kAtWait;
    bool races = false;           // slow: some 100 ns an access
    bool counters = false;        // not together with races
    unsigned max_resident = 132;  // blocks that the machine holds at once; more than that never wait for each other
};

}  // namespace hearth::simt
