#include "kernels/simt/emulator/ops/mbarrier.h"

#include <string>
#include <utility>

#include "kernels/simt/emulator/checks/clock.h"
#include "kernels/simt/emulator/checks/race.h"
#include "kernels/simt/emulator/machine/machine.h"
#include "kernels/simt/emulator/ops/copy.h"

namespace hearth::simt {
namespace {

/// The mbarrier at this address, as an atomic access; a finding and the end of the block where there is none.
MBarrier& use(Region* region, uintptr_t address, Where where) {
    (void)admit({region, address, 8, 8, Use::kAtomic, Path::kMBarrier, where});
    const auto found = current->block->mbarriers.find(address);
    if (found == current->block->mbarriers.end()) {
        current->machine->fail(Kind::kBadMBarrier, where, "nobody has initialised an mbarrier at this address");
    }
    return found->second;
}

void complete_if_due(MBarrier& bar) {
    if (bar.pending != 0 || bar.bytes_to_come != 0) return;
    ++bar.phase;
    bar.pending = bar.count;
    bar.released = std::exchange(bar.arriving, nullptr);
    if (bar.released != nullptr) {  // whoever waits knows of the phase's bulk copies too
        bar.released->own[current->block->threads.size() + bar.number] = bar.phase;
    }
    current->machine->scheduler().ready_all(bar.waiting);
}

void land(MBarrier& bar) {
    const bool moves = current->machine->options().landing == Landing::kAtWait;
    for (const PendingCopy& copy : std::exchange(bar.copies, {})) {
        if (moves) move_bytes(copy);
        finish_copy(copy);
        if (current->clock != nullptr) {
            const auto slot = static_cast<uint32_t>(current->block->threads.size()) + bar.number;
            keep_write({copy.to, copy.to_address, copy.bytes, 16, Use::kStore, Path::kBulk, copy.where},
                       {current->block->launch->index, current->block->serial, slot, bar.phase + 1});
        }
        bar.bytes_to_come -= copy.bytes;
    }
    complete_if_due(bar);
}

}  // namespace

void init_mbarrier(Region* region, uintptr_t address, unsigned count, Where where) {
    if (!admit({region, address, 8, 8, Use::kStore, Path::kMBarrier, where})) return;
    Block& block = *current->block;
    const auto number = static_cast<unsigned>(block.mbarriers.size());
    if (count == 0 || number >= kMBarrierSlots) {
        current->machine->fail(Kind::kBadMBarrier, where,
                               "an mbarrier expects at least one arrival, and a block has at most 64 of them here");
    }
    const auto [at, is_new] = block.mbarriers.emplace(address, MBarrier{});
    if (!is_new) current->machine->fail(Kind::kBadMBarrier, where, "the mbarrier is initialised twice");
    at->second.count = at->second.pending = count;
    at->second.number = number;
    at->second.maker = current->index;
}

void fence_inits() {
    for (auto& [address, bar] : current->block->mbarriers) {
        if (bar.maker == current->index) bar.fenced = true;
    }
}

void arrive_mbarrier(Region* region, uintptr_t address, uint32_t bytes, Where where) {
    MBarrier& bar = use(region, address, where);
    if (bar.pending == 0) {
        current->machine->fail(Kind::kBadMBarrier, where, "more arrivals than the " + std::to_string(bar.count) + " that a phase expects");
    }
    release_clock(*current, bar.arriving);
    bar.bytes_to_come += bytes;
    --bar.pending;
    if (!bar.waiting.empty()) return land(bar);
    complete_if_due(bar);
}

void wait_mbarrier(Region* region, uintptr_t address, unsigned parity, Where where) {
    MBarrier& bar = use(region, address, where);
    if (bar.pending > 0 || !bar.copies.empty()) land(bar);
    while ((bar.phase & 1) == (parity & 1)) {
        bar.waiting.push_back(current);
        current->machine->scheduler().park(Wait::kMBarrier, where);
    }
    acquire_clock(*current, bar.released);
}

void issue_bulk(PendingCopy copy, Region* region, uintptr_t address) {
    MBarrier& bar = use(region, address, copy.where);
    if (!bar.fenced) {
        current->machine->find(Kind::kBadMBarrier, copy.where, "a bulk copy on an mbarrier whose init no fence_mbarrier_init() follows");
    }
    if (copy.bytes % 16 != 0) {
        current->machine->find(Kind::kMisaligned, copy.where,
                               "a bulk copy of " + std::to_string(copy.bytes) + " bytes: not a multiple of 16");
        copy.bytes -= copy.bytes % 16;
        copy.source_bytes = copy.bytes;
    }
    if (!begin_copy(copy, 16, Path::kBulk)) {
        bar.bytes_to_come -= copy.bytes;  // so that nobody waits for what was refused
        return complete_if_due(bar);
    }
    bar.copies.push_back(copy);
    if (current->machine->options().landing == Landing::kAtIssue) move_bytes(copy);
    if (!bar.waiting.empty()) land(bar);
}

}  // namespace hearth::simt
