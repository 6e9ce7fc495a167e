// The race check. A race is: the same byte, two threads, at least one write, and no ordering operation between. Two atomic operations do
// not race with one another.
//
// What orders: barriers of the block and sync_warp (their participants), an mbarrier's arrivals before its waits, a counter's release
// before its acquire, the end of a launch. What does not: shuffles, votes, mma, the lockstep of a warp, relaxed atomics, and the order in
// which this emulator happens to run threads. So the check finds races that no schedule of the emulator would show.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/simt/emulator/memory/hook.h"

namespace hearth::simt {

/// Who did something, and when by his own clock.
struct Epoch {
    uint32_t launch;  // in its chain
    uint32_t block;   // serial
    uint32_t slot;    // thread of the block, or beyond them an mbarrier's bulk copies
    uint32_t clock;
};

/// Accesses to a 4-byte word that a later one may still race with.
struct RaceEntry {
    Epoch epoch;
    uint8_t bytes;  // mask, within the word
    Use use;
    Where where;
};

class RaceCells {
public:
    uint32_t chain = 0;
    std::vector<std::vector<RaceEntry>> words;
};

/// Checks an access of the current thread against those before it, and keeps it.
void check_race(const Access& access);
/// Checks without keeping: an asynchronous copy where it is issued.
void check_race_at_issue(const Access& access);
/// Keeps an asynchronous write that whoever knows `epoch` comes after.
void keep_write(const Access& access, Epoch epoch);

}  // namespace hearth::simt
