// Blocks and warps while they run: what their threads meet at.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>

#include "kernels/simt/emulator/fiber/stacks.h"
#include "kernels/simt/emulator/machine/thread.h"
#include "kernels/simt/emulator/memory/region.h"

namespace hearth::simt {

struct SyncClock;  // checks/clock.h

/// One launch of a kernel, from its call to its last block's end.
struct Launch {
    std::string name;
    Dim grid, block;
    uint64_t shared_bytes = 0;
    bool dependent = false;  // may begin before the launch before it has ended (programmatic dependent launch)
    std::function<void()> body;
    unsigned index = 0;                         // in its batch
    unsigned long long started = 0, ended = 0;  // blocks
    bool complete = false;
    uint64_t ordered_launches = 0;  // launches whose end its own end implies
    std::vector<Thread*> grid_waiters;
};

/// Lanes of a warp that meet at one operation under one mask.
struct Rendezvous {
    uint32_t mask = 0, arrived = 0;
    const char* operation = "";
    Where where;
    std::array<void*, 32> operands{};
};

struct Warp {
    std::array<Thread*, 32> lanes{};
    uint32_t exists = 0, exited = 0;
    std::vector<Rendezvous> open;
};

/// A barrier of the block, 0 to 15. PTX ISA, "Parallel Synchronization and Communication Instructions: bar, barrier".
struct NamedBarrier {
    unsigned expected = 0, arrived = 0;
    Where where;
    std::vector<Thread*> waiting;
    std::vector<Thread*> arrivals;        // in order, those that only arrived too
    std::shared_ptr<SyncClock> released;  // of race runs
};

/// PTX ISA, "mbarrier": phase, pending arrivals, bytes still to come.
struct MBarrier {
    unsigned count = 0, pending = 0;
    unsigned phase = 0;
    long long bytes_to_come = 0;
    unsigned maker = 0;   // the thread that initialised it
    bool fenced = false;  // and made that known to bulk copies
    unsigned number = 0;  // of the block's mbarriers, in order of their init
    std::vector<Thread*> waiting;
    std::vector<PendingCopy> copies;  // bulk copies that land when somebody waits
    std::shared_ptr<SyncClock> arriving, released;
};

struct Block {
    Launch* launch = nullptr;
    Dim id{0, 0, 0};
    uint32_t serial = 0;  // unique in its batch
    unsigned live = 0, exited = 0;
    bool failed = false;
    std::vector<Thread> threads;
    std::vector<Warp> warps;
    std::unique_ptr<unsigned char[]> shared_storage, shared_state;
    unsigned char* shared = nullptr;  // 1024-byte aligned
    uint64_t shared_used = 0;
    std::deque<Region> shared_regions;
    std::array<NamedBarrier, 16> barriers;
    std::map<uintptr_t, MBarrier> mbarriers;
    std::unique_ptr<Stacks> stacks;
};

}  // namespace hearth::simt
