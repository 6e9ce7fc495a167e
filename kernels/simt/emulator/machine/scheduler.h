// Decides which thread runs next. Threads switch directly to one another; the OS thread's own stack is entered only when none is ready or
// a block has ended.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/simt/emulator/machine/options.h"
#include "kernels/simt/emulator/machine/thread.h"

namespace hearth::simt {

class Scheduler {
public:
    explicit Scheduler(const Options& options) : schedule_(options.schedule), random_(options.seed * 2 + 1) {}

    /// The thread may run from now on.
    void ready(Thread* thread);
    /// All of them, in the order of the schedule (they come in rising or in arrival order).
    void ready_all(std::vector<Thread*>& threads);

    /// The current thread stops until somebody makes it ready.
    void park(Wait wait, Where where);
    /// The current thread lets all others run first.
    void yield(Wait wait, Where where);
    /// The current thread will never run again.
    [[noreturn]] void end();

    /// From the OS thread's stack: runs until no thread is ready or stop() was asked for.
    void run();
    /// run() returns at the next switch.
    void stop() { stop_ = true; }
    /// Forgets the threads of a block.
    void forget(const Block* block);
    bool idle() const { return head_ == queue_.size(); }

    uint64_t switches() const { return switches_; }

private:
    Thread* next();
    void leave(Thread* from, bool ends);

    Schedule schedule_;
    uint64_t random_;
    std::vector<Thread*> queue_;
    size_t head_ = 0;
    bool stop_ = false;
    Fiber main_;
    uint64_t switches_ = 0;
};

}  // namespace hearth::simt
