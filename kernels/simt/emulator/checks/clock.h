// Vector clocks: what happened before what, for race runs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "kernels/simt/emulator/machine/thread.h"

namespace hearth::simt {

constexpr unsigned kMBarrierSlots = 64;  // clocks of a block beyond its threads: bulk copies, by the mbarrier that they complete on

/// For each thread of a block (then each mbarrier), how many of its release operations are known; for other blocks too where an
/// acquire-release counter told of them.
struct SyncClock {
    std::vector<uint32_t> own;
    std::map<uint32_t, std::shared_ptr<const std::vector<uint32_t>>> foreign;  // by the block's serial

    /// Takes the later of each. `serial` is the block that `other` is of; where it is not `my_serial`, its own part becomes foreign.
    void join(const SyncClock& other, uint32_t my_serial, uint32_t serial);
};

struct ThreadClock : SyncClock {
    ThreadClock(size_t threads, unsigned index_) : index(index_) {
        own.resize(threads + kMBarrierSlots);
        own[index] = 1;
    }
    unsigned index;
    uint32_t now() const { return own[index]; }
};

constexpr uint32_t kNoBlock = ~0u;  // serial of a clock that belongs to a counter in memory: all of it is foreign

/// All of `threads`, of one block, learn what each of them knows (a barrier, __syncwarp). Does nothing outside race runs.
void meet_clocks(const std::vector<Thread*>& threads);
/// The thread's knowledge goes into `to`, made if null.
void release_clock(Thread& thread, std::shared_ptr<SyncClock>& to);
/// The thread learns what `from` knows.
void acquire_clock(Thread& thread, const std::shared_ptr<SyncClock>& from);
/// The same with a counter in memory, between blocks.
void release_to_counter(Thread& thread, std::shared_ptr<SyncClock>& to);
void acquire_from_counter(Thread& thread, const std::shared_ptr<SyncClock>& from);

}  // namespace hearth::simt
