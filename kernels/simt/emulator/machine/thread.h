// One CUDA thread of the emulated machine.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/simt/emulator/fiber/fiber.h"
#include "kernels/simt/emulator/report.h"
#include "kernels/simt/emulator/where.h"

namespace hearth::simt {

struct Block;
struct Warp;
class Machine;
struct Region;

/// What a parked thread waits for: decides what a deadlock is called.
enum class Wait : uint8_t { kNothing, kBarrier, kWarp, kMBarrier, kPoll, kGrid };

/// A cp.async that has been issued and not waited for.
struct PendingCopy {
    Region* to;
    uintptr_t to_address;
    Region* from;
    uintptr_t from_address;
    uint32_t bytes, source_bytes;  // what lies past source_bytes becomes zero
    uint32_t group;                // commit group
    Where where;
};

struct ThreadClock;  // checks/clock.h

struct Thread {
    Fiber fiber;
    Machine* machine = nullptr;
    Block* block = nullptr;
    Warp* warp = nullptr;
    Dim id{0, 0, 0};
    unsigned index = 0;  // linear in its block
    unsigned lane = 0;
    bool watched = false;  // this run checks races, counts, or has dependent launches
    bool done = false;
    Wait wait = Wait::kNothing;
    Where wait_where;
    uint32_t chain = 0;             // of launches that may overlap with its own, counted from 1
    unsigned shared_taken = 0;      // arrays taken so far
    uint32_t syncs = 0;             // operations passed at which its warp or block met
    uint64_t ordered_launches = 0;  // bit l: launch l of this batch is complete before whatever this thread does now
    uint32_t open_group = 0;        // of cp.async
    std::vector<PendingCopy> copies;
    std::unique_ptr<ThreadClock> clock;

    Thread();
    ~Thread();
    Thread(Thread&&) noexcept;
};

/// The thread whose fiber runs on this OS thread; null outside of kernels.
extern constinit thread_local Thread* current;

}  // namespace hearth::simt
