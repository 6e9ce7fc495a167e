// The emulated GPU: runs a batch of launches, block by block, and keeps what it found.
#pragma once

#include <memory>
#include <vector>

#include "kernels/simt/emulator/machine/block.h"
#include "kernels/simt/emulator/machine/options.h"
#include "kernels/simt/emulator/machine/scheduler.h"
#include "kernels/simt/emulator/report.h"

namespace hearth::simt {

class Counters;

/// One OS thread. Kernels reach it through `current->machine`.
class Machine {
public:
    explicit Machine(const Options& options);
    ~Machine();

    /// Runs the launches: each after the one before it has ended, except that the blocks of a dependent launch run up to their grid wait
    /// before the launch before it begins. Findings go to report(). A block that cannot go on is dropped, the others run.
    void run(std::vector<Launch>& launches);

    /// A finding at the current thread.
    void find(Kind kind, Where where, std::string text);
    /// A finding after which the current thread's block cannot go on.
    [[noreturn]] void fail(Kind kind, Where where, std::string text);

    /// The current thread polls until `holds(argument)`; other blocks run, and start, meanwhile.
    void poll(bool (*holds)(void*), void* argument, Where where);
    /// The current thread waits until the launch before its own is complete.
    void wait_grid(Where where);

    const Options& options() const { return options_; }
    Scheduler& scheduler() { return scheduler_; }
    Report& report() { return report_; }
    const Report& report() const { return report_; }
    std::vector<Thread*>& lanes_to_wake() { return lanes_to_wake_; }  // scratch, empty between uses
    Counters* counters() { return counters_.get(); }
    bool races() const { return options_.races; }
    size_t launches_in_chain() const { return chain_end_ - chain_begin_; }
    uint32_t chain() const { return chain_; }  // what was done in an earlier chain is ordered before all of this one
    std::shared_ptr<SyncClock>& clock_of_counter(uintptr_t address) { return clocks_of_counters_[address]; }
    const Launch& launch_of_chain(unsigned index) const { return (*launches_)[chain_begin_ + index]; }

private:
    static void thread_main();
    void begin_chain(size_t begin, size_t end);
    bool start_next_block();
    void collect_ended();
    void complete(Launch& launch);
    bool wake_pollers();
    void drop_stuck();
    void add(Kind kind, const Thread& thread, Where where, std::string text);

    Options options_;
    Scheduler scheduler_;
    Report report_;
    std::vector<Launch>* launches_ = nullptr;
    std::vector<std::unique_ptr<Block>> blocks_;  // resident
    std::vector<Block*> ended_;
    std::vector<Thread*> pollers_, lanes_to_wake_;
    uint64_t progress_ = 0, progress_at_wake_ = 0;
    uint32_t next_serial_ = 0;
    std::map<uintptr_t, std::shared_ptr<SyncClock>> clocks_of_counters_;
    size_t chain_begin_ = 0, chain_end_ = 0;  // launches that may overlap
    uint32_t chain_ = 0;
    std::unique_ptr<Counters> counters_;
};

}  // namespace hearth::simt
