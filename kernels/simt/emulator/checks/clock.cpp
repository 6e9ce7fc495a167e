#include "kernels/simt/emulator/checks/clock.h"

#include <algorithm>

#include "kernels/simt/emulator/machine/block.h"

namespace hearth::simt {
namespace {

void join_slots(std::vector<uint32_t>& into, const std::vector<uint32_t>& from) {
    if (into.size() < from.size()) into.resize(from.size());
    for (size_t i = 0; i < from.size(); ++i) into[i] = std::max(into[i], from[i]);
}

void join_foreign(SyncClock& into, uint32_t serial, const std::shared_ptr<const std::vector<uint32_t>>& slots) {
    auto& known = into.foreign[serial];
    if (known == nullptr) {
        known = slots;
    } else if (known != slots) {
        auto merged = std::make_shared<std::vector<uint32_t>>(*known);
        join_slots(*merged, *slots);
        known = std::move(merged);
    }
}

}  // namespace

void SyncClock::join(const SyncClock& other, uint32_t my_serial, uint32_t serial) {
    if (my_serial == serial) {
        join_slots(own, other.own);
    } else if (!other.own.empty()) {
        join_foreign(*this, serial, std::make_shared<const std::vector<uint32_t>>(other.own));
    }
    for (const auto& [theirs, slots] : other.foreign) {
        if (theirs == my_serial) {
            join_slots(own, *slots);
        } else {
            join_foreign(*this, theirs, slots);
        }
    }
}

void meet_clocks(const std::vector<Thread*>& threads) {
    if (threads.empty() || threads[0]->clock == nullptr) return;
    const uint32_t serial = threads[0]->block->serial;
    SyncClock all = *threads[0]->clock;
    for (Thread* thread : threads) all.join(*thread->clock, serial, serial);
    for (Thread* thread : threads) {
        static_cast<SyncClock&>(*thread->clock) = all;
        ++thread->clock->own[thread->index];
    }
}

void release_clock(Thread& thread, std::shared_ptr<SyncClock>& to) {
    if (thread.clock == nullptr) return;
    const uint32_t serial = thread.block->serial;
    auto joined = to == nullptr ? std::make_shared<SyncClock>() : std::make_shared<SyncClock>(*to);
    joined->join(*thread.clock, serial, serial);
    to = std::move(joined);
    ++thread.clock->own[thread.index];
}

void release_to_counter(Thread& thread, std::shared_ptr<SyncClock>& to) {
    if (thread.clock == nullptr) return;
    auto joined = to == nullptr ? std::make_shared<SyncClock>() : std::make_shared<SyncClock>(*to);
    joined->join(*thread.clock, kNoBlock, thread.block->serial);
    to = std::move(joined);
    ++thread.clock->own[thread.index];
}

void acquire_from_counter(Thread& thread, const std::shared_ptr<SyncClock>& from) {
    if (thread.clock == nullptr || from == nullptr) return;
    thread.clock->join(*from, thread.block->serial, kNoBlock);
}

void acquire_clock(Thread& thread, const std::shared_ptr<SyncClock>& from) {
    if (thread.clock == nullptr || from == nullptr) return;
    thread.clock->join(*from, thread.block->serial, thread.block->serial);
}

}  // namespace hearth::simt
