#include "kernels/simt/emulator/checks/race.h"

#include <algorithm>
#include <string>

#include "kernels/simt/emulator/checks/clock.h"
#include "kernels/simt/emulator/machine/machine.h"

namespace hearth::simt {
namespace {

bool is_before(const Epoch& epoch, const Thread& thread) {
    const unsigned launch = thread.block->launch->index;
    // An access of a later launch came too early rather than unordered: checks/dependent.h tells of it.
    if (epoch.launch != launch) return epoch.launch > launch || (thread.ordered_launches >> epoch.launch & 1);
    const ThreadClock& clock = *thread.clock;
    if (epoch.block == thread.block->serial) return clock.own[epoch.slot] >= epoch.clock;
    const auto known = clock.foreign.find(epoch.block);
    return known != clock.foreign.end() && (*known->second)[epoch.slot] >= epoch.clock;
}

bool conflict(Use a, Use b) { return a != b ? true : a == Use::kStore; }

const char* verb(Use use) { return use == Use::kLoad ? "read" : use == Use::kStore ? "written" : "changed atomically"; }

void report(const Access& access, const RaceEntry& other) {
    const Region& region = *access.region;
    const bool same_block = other.epoch.block == current->block->serial;
    const bool is_copy = same_block && other.epoch.slot >= current->block->threads.size();
    std::string text = region.name + " byte " + std::to_string(access.address - region.base) + " is " + verb(access.use) + " here and " +
                       verb(other.use) + " at line " + std::to_string(other.where.line) + " by ";
    text += is_copy ? "a bulk copy" : "thread " + std::to_string(other.epoch.slot);
    text += same_block ? "" : " of another block";
    current->machine->find(Kind::kRace, access.where, text + ", and nothing orders the two");
}

RaceCells& cells_of(Region& region) {
    if (region.races == nullptr) region.races = std::make_unique<RaceCells>();
    RaceCells& cells = *region.races;
    if (cells.chain != current->chain) {  // an earlier chain is complete
        cells.chain = current->chain;
        cells.words.assign((region.size + (region.base & 3) + 3) / 4, {});
    }
    return cells;
}

/// Calls function(word's entries, byte mask) for each 4-byte word of the access.
template <class Function>
void for_each_word(const Access& access, Function function) {
    RaceCells& cells = cells_of(*access.region);
    const uintptr_t first = access.region->base & ~uintptr_t{3};
    for (uintptr_t byte = access.address, end = access.address + access.bytes; byte < end;) {
        const uintptr_t word_end = std::min<uintptr_t>((byte & ~uintptr_t{3}) + 4, end);
        const auto mask = static_cast<uint8_t>(((1u << (word_end - byte)) - 1) << (byte & 3));
        function(cells.words[(byte - first) / 4], mask);
        byte = word_end;
    }
}

void check_word(const Access& access, const std::vector<RaceEntry>& entries, uint8_t mask, const Epoch& self) {
    for (const RaceEntry& entry : entries) {
        const bool own = entry.epoch.block == self.block && entry.epoch.slot == self.slot && entry.epoch.launch == self.launch;
        if (own || (entry.bytes & mask) == 0 || !conflict(entry.use, access.use)) continue;
        if (!is_before(entry.epoch, *current)) return report(access, entry);
    }
}

/// Drops what the new access stands for from now on, and adds it.
void keep(std::vector<RaceEntry>& entries, const Access& access, uint8_t mask, const Epoch& self) {
    std::erase_if(entries, [&](const RaceEntry& entry) {
        const bool stronger = access.use == Use::kStore || entry.use == access.use;
        return stronger && (entry.bytes & ~mask) == 0 && is_before(entry.epoch, *current);
    });
    entries.push_back({.epoch = self, .bytes = mask, .use = access.use, .where = access.where});
}

Epoch own_epoch() {
    const Thread& thread = *current;
    return {thread.block->launch->index, thread.block->serial, thread.index, thread.clock->now()};
}

}  // namespace

void check_race(const Access& access) {
    const Epoch self = own_epoch();
    for_each_word(access, [&](std::vector<RaceEntry>& entries, uint8_t mask) {
        check_word(access, entries, mask, self);
        keep(entries, access, mask, self);
    });
}

void check_race_at_issue(const Access& access) {
    const Epoch self = own_epoch();
    for_each_word(access, [&](const std::vector<RaceEntry>& entries, uint8_t mask) { check_word(access, entries, mask, self); });
}

void keep_write(const Access& access, Epoch epoch) {
    for_each_word(access, [&](std::vector<RaceEntry>& entries, uint8_t mask) { keep(entries, access, mask, epoch); });
}

}  // namespace hearth::simt
