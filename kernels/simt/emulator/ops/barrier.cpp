#include "kernels/simt/emulator/ops/barrier.h"

#include <string>

#include "kernels/simt/emulator/checks/clock.h"
#include "kernels/simt/emulator/checks/counters.h"
#include "kernels/simt/emulator/machine/machine.h"

namespace hearth::simt {
namespace {

/// The last of the expected threads has arrived: wakes the others.
void release(NamedBarrier& bar, Thread* last) {
    Scheduler& scheduler = current->machine->scheduler();
    if (Counters* counters = current->machine->counters()) {
        counters->operation(&bar == &current->block->barriers[0] ? "sync_block" : "sync_named");
    }
    if (current->clock != nullptr) {
        std::shared_ptr<SyncClock> all;
        for (Thread* thread : bar.arrivals) release_clock(*thread, all);
        for (Thread* thread : bar.waiting) acquire_clock(*thread, all);
        if (last != nullptr) acquire_clock(*last, all);
    }
    bar.expected = bar.arrived = 0;
    bar.arrivals.clear();
    scheduler.ready_all(bar.waiting);
}

}  // namespace

void barrier(unsigned id, unsigned threads, bool waits, Where where) {
    Thread* self = current;
    Machine& machine = *self->machine;
    Block& block = *self->block;
    if (id > 15 || threads == 0 || threads % 32 != 0) {
        if (id != 0) machine.fail(Kind::kDivergentBarrier, where, "barriers are 0 to 15, for a multiple of 32 threads");
    }
    NamedBarrier& bar = block.barriers[id];
    if (bar.arrived == 0) {
        bar.expected = threads;
        bar.where = where;
    } else if (bar.expected != threads) {
        machine.fail(Kind::kDivergentBarrier, where,
                     "barrier " + std::to_string(id) + " is joined for " + std::to_string(threads) + " threads, and for " +
                         std::to_string(bar.expected) + " at line " + std::to_string(bar.where.line));
    }
    ++self->syncs;
    bar.arrivals.push_back(self);
    if (++bar.arrived == bar.expected) {
        release(bar, waits ? self : nullptr);
        return;
    }
    if (!waits) return;
    bar.waiting.push_back(self);
    machine.scheduler().park(Wait::kBarrier, where);
}

void block_barrier(Where where) {
    Block& block = *current->block;
    NamedBarrier& bar = block.barriers[0];
    if (block.exited > 0) {
        current->machine->fail(Kind::kDivergentBarrier, where,
                               std::to_string(block.exited) + " threads of the block have ended before this barrier");
    }
    if (bar.arrived > 0 && !(bar.where == where)) {
        current->machine->fail(Kind::kDivergentBarrier, where,
                               "others of the block wait at the barrier of line " + std::to_string(bar.where.line) + ", not at this one");
    }
    barrier(0, static_cast<unsigned>(block.threads.size()), true, where);
}

}  // namespace hearth::simt
