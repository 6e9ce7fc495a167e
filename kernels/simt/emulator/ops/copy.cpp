#include "kernels/simt/emulator/ops/copy.h"

#include <cstring>

#include "kernels/simt/emulator/checks/counters.h"
#include "kernels/simt/emulator/checks/race.h"
#include "kernels/simt/emulator/machine/machine.h"

namespace hearth::simt {
namespace {

Access destination(const PendingCopy& copy, uint32_t align, Path path) {
    return {copy.to, copy.to_address, copy.bytes, align, Use::kStore, path, copy.where};
}

uint8_t* state_of(const PendingCopy& copy) { return copy.to->state + (copy.to_address - copy.to->base); }

}  // namespace

bool begin_copy(const PendingCopy& copy, uint32_t align, Path path) {
    const Access to = destination(copy, align, path);
    const Region* region = copy.to;
    if (region == nullptr || copy.to_address - region->base > region->size ||
        region->size - (copy.to_address - region->base) < copy.bytes || (copy.to_address & (align - 1)) != 0) {
        (void)refuse(to);
        return false;
    }
    if (any_in_flight(state_of(copy), copy.bytes)) (void)refuse(to);
    if ((copy.from_address & (align - 1)) != 0) {  // asked of the whole copy, however few bytes of the source are read
        (void)refuse({copy.from, copy.from_address, copy.source_bytes, align, Use::kLoad, path, copy.where});
        return false;
    }
    if (copy.source_bytes > 0 && !admit({copy.from, copy.from_address, copy.source_bytes, align, Use::kLoad, path, copy.where}))
        return false;
    Machine& machine = *current->machine;
    if (machine.races()) check_race_at_issue(to);
    if (Counters* counters = machine.counters()) counters->count(to);
    std::memset(state_of(copy), kInFlight, copy.bytes);
    return true;
}

void move_bytes(const PendingCopy& copy) {
    auto* to = reinterpret_cast<unsigned char*>(copy.to_address);
    std::memcpy(to, reinterpret_cast<const void*>(copy.from_address), copy.source_bytes);
    std::memset(to + copy.source_bytes, 0, copy.bytes - copy.source_bytes);
}

void finish_copy(const PendingCopy& copy) { std::memset(state_of(copy), kGood, copy.bytes); }

void issue_copy(PendingCopy copy) {
    Thread& self = *current;
    copy.group = self.open_group;
    if (copy.source_bytes > copy.bytes) copy.source_bytes = copy.bytes;
    if (!begin_copy(copy, copy.bytes, Path::kCopy)) return;
    if (self.machine->options().landing == Landing::kAtIssue) move_bytes(copy);
    self.copies.push_back(copy);
}

void commit_copies(Where) { ++current->open_group; }

void wait_copies(uint32_t groups_left, Where) {
    Thread& self = *current;
    Machine& machine = *self.machine;
    size_t kept = 0;
    for (const PendingCopy& copy : self.copies) {
        if (copy.group + groups_left >= self.open_group) {  // one of the newest groups, or not yet committed
            self.copies[kept++] = copy;
            continue;
        }
        if (machine.options().landing == Landing::kAtWait) move_bytes(copy);
        finish_copy(copy);
        if (!machine.races()) continue;
        check_race(destination(copy, copy.bytes, Path::kCopy));
        if (copy.source_bytes > 0) check_race({copy.from, copy.from_address, copy.source_bytes, 1, Use::kLoad, Path::kCopy, copy.where});
    }
    self.copies.resize(kept);
}

}  // namespace hearth::simt
