#include "kernels/simt/emulator/machine/machine.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/simt/emulator/checks/clock.h"
#include "kernels/simt/emulator/checks/counters.h"
#include "kernels/simt/emulator/machine/blocks.h"

namespace hearth::simt {

constinit thread_local Thread* current = nullptr;

Thread::Thread() = default;
Thread::~Thread() = default;
Thread::Thread(Thread&&) noexcept = default;

Machine::Machine(const Options& options) : options_(options), scheduler_(options) {
    if (options.counters) counters_ = std::make_unique<Counters>();
}
Machine::~Machine() = default;

void Machine::run(std::vector<Launch>& launches) {
    launches_ = &launches;
    clocks_of_counters_.clear();
    for (size_t begin = 0; begin < launches.size();) {
        size_t end = begin + 1;
        while (end < launches.size() && launches[end].dependent && end - begin < 64) ++end;
        begin_chain(begin, end);
        for (;;) {
            scheduler_.run();
            collect_ended();
            if (!scheduler_.idle() || wake_pollers() || start_next_block()) continue;
            if (blocks_.empty()) break;
            drop_stuck();
        }
        begin = end;
    }
    launches_ = nullptr;
}

void Machine::begin_chain(size_t begin, size_t end) {
    chain_begin_ = begin;
    chain_end_ = end;
    ++chain_;
    for (size_t l = begin; l < end; ++l) {
        Launch& launch = (*launches_)[l];
        launch.index = static_cast<unsigned>(l - begin);
        if (launch.grid.size() == 0) complete(launch);
    }
}

/// Starts a block of the last launch of the chain that still has one: consumers come before producers.
bool Machine::start_next_block() {
    for (size_t l = chain_end_; l-- > chain_begin_;) {
        Launch& launch = (*launches_)[l];
        const unsigned long long blocks = launch.grid.size();
        if (launch.started == blocks || launch.started - launch.ended >= options_.max_resident) continue;
        unsigned long long number = launch.started++;
        if (options_.schedule == Schedule::kReverse) number = blocks - 1 - number;
        blocks_.push_back(make_block(*this, launch, number, next_serial_++, stack_pool()));
        Block& block = *blocks_.back();
        ++progress_;
        std::vector<Thread*> threads;
        for (Thread& thread : block.threads) {
            prepare_fiber(thread.fiber, &Machine::thread_main);
            thread.chain = chain_;
            thread.watched = options_.races || counters_ != nullptr || chain_end_ - chain_begin_ > 1;
            if (options_.races) thread.clock = std::make_unique<ThreadClock>(block.threads.size(), thread.index);
            threads.push_back(&thread);
        }
        scheduler_.ready_all(threads);
        return true;
    }
    return false;
}

void Machine::thread_main() {
    fiber_entered(current->fiber);
    current->block->launch->body();
    Thread* self = current;
    Machine& machine = *self->machine;
    Block& block = *self->block;
    self->done = true;
    --block.live;
    ++block.exited;
    self->warp->exited |= 1u << self->lane;
    const NamedBarrier& barrier = block.barriers[0];
    if (barrier.arrived > 0) {
        machine.fail(Kind::kDivergentBarrier, barrier.where,
                     "a thread has ended while " + std::to_string(barrier.arrived) + " wait at the block's barrier");
    }
    for (const Rendezvous& open : self->warp->open) {
        if (open.mask >> self->lane & 1) {
            machine.fail(Kind::kDivergentWarp, open.where, std::string("a lane has ended whose warp waits for it at ") + open.operation);
        }
    }
    block.launch->ordered_launches |= self->ordered_launches;
    if (block.live == 0) {
        machine.ended_.push_back(&block);
        machine.scheduler_.stop();
    }
    machine.scheduler_.end();
}

void Machine::collect_ended() {
    for (Block* block : ended_) {
        Launch& launch = *block->launch;
        auto is_of_block = [&](Thread* thread) { return thread->block == block; };
        scheduler_.forget(block);
        std::erase_if(pollers_, is_of_block);
        std::erase_if(launch.grid_waiters, is_of_block);
        if (counters_ != nullptr) counters_->end_block(*block);
        for (Thread& thread : block->threads) drop_fiber(thread.fiber);
        stack_pool().give_back(std::move(block->stacks));
        std::erase_if(blocks_, [&](const auto& b) { return b.get() == block; });
        ++progress_;
        if (++launch.ended == launch.grid.size()) complete(launch);
    }
    ended_.clear();
}

void Machine::complete(Launch& launch) {
    launch.complete = true;
    launch.ordered_launches |= uint64_t{1} << launch.index;
    if (chain_begin_ + launch.index + 1 < chain_end_) {
        Launch& next = (*launches_)[chain_begin_ + launch.index + 1];
        scheduler_.ready_all(next.grid_waiters);
    }
}

void Machine::wait_grid(Where where) {
    Thread* self = current;
    Launch& launch = *self->block->launch;
    if (launch.index > 0) {
        Launch& before = (*launches_)[chain_begin_ + launch.index - 1];
        if (!before.complete) {
            launch.grid_waiters.push_back(self);
            scheduler_.park(Wait::kGrid, where);
        }
        self->ordered_launches |= before.ordered_launches;
    }
}

void Machine::poll(bool (*holds)(void*), void* argument, Where where) {
    while (!holds(argument)) {
        pollers_.push_back(current);
        scheduler_.park(Wait::kPoll, where);
    }
    ++progress_;
}

/// Lets those who poll look again, if anything has happened since they last did.
bool Machine::wake_pollers() {
    if (pollers_.empty() || progress_ == progress_at_wake_) return false;
    progress_at_wake_ = progress_;
    scheduler_.ready_all(pollers_);
    return true;
}

/// Nothing can run any more: says why, and drops the blocks.
void Machine::drop_stuck() {
    for (auto& block : blocks_) {
        const Thread* at_barrier = nullptr;
        const Thread* at_warp = nullptr;
        const Thread* other = nullptr;
        bool one_place = true;
        for (const Thread& thread : block->threads) {
            if (thread.done || thread.wait == Wait::kGrid) continue;
            const Thread*& slot = thread.wait == Wait::kBarrier ? at_barrier : thread.wait == Wait::kWarp ? at_warp : other;
            if (slot != nullptr && !(slot->wait_where == thread.wait_where)) one_place = false;
            if (slot == nullptr) slot = &thread;
        }
        const Thread* first = at_barrier != nullptr ? at_barrier : at_warp != nullptr ? at_warp : other;
        if (first != nullptr) {
            const bool alone = one_place && (at_barrier != nullptr) + (at_warp != nullptr) + (other != nullptr) == 1;
            Kind kind = Kind::kDeadlock;
            if (at_warp != nullptr && at_barrier == nullptr) kind = Kind::kDivergentWarp;
            if (at_barrier != nullptr && !alone) kind = Kind::kDivergentBarrier;
            std::string text = "all threads wait, and nothing will wake them";
            for (const Thread* thread : {at_warp, other}) {
                if (thread == nullptr || thread == first) continue;
                text += "; thread " + std::to_string(thread->index) + " waits at line " + std::to_string(thread->wait_where.line);
            }
            add(kind, *first, first->wait_where, text);
        }
        ended_.push_back(block.get());
    }
    collect_ended();
}

void Machine::add(Kind kind, const Thread& thread, Where where, std::string text) {
    Finding finding;
    finding.kind = kind;
    finding.kernel = thread.block->launch->name;
    finding.block = thread.block->id;
    finding.thread = thread.index;
    finding.where = where;
    finding.text = std::move(text);
    report_.add(std::move(finding));
}

void Machine::find(Kind kind, Where where, std::string text) { add(kind, *current, where, std::move(text)); }

void Machine::fail(Kind kind, Where where, std::string text) {
    find(kind, where, std::move(text));
    current->block->failed = true;
    ended_.push_back(current->block);
    scheduler_.stop();
    scheduler_.end();
}

}  // namespace hearth::simt
