#include "kernels/simt/emulator/memory/hook.h"

#include <string>

#include "kernels/simt/emulator/checks/counters.h"
#include "kernels/simt/emulator/checks/dependent.h"
#include "kernels/simt/emulator/checks/race.h"
#include "kernels/simt/emulator/machine/machine.h"

namespace hearth::simt {
namespace {

const char* name_of(Use use, Path path) {
    switch (path) {
        case Path::kScalar: return use == Use::kLoad ? "scalar load" : "scalar store";
        case Path::kVector: return use == Use::kLoad ? "vector load" : "vector store";
        case Path::kReadOnly: return "read-only load";
        case Path::kLdmatrix: return "ldmatrix";
        case Path::kCopy: return use == Use::kLoad ? "cp.async, its source" : "cp.async, its destination";
        case Path::kBulk: return use == Use::kLoad ? "bulk copy, its source" : "bulk copy, its destination";
        case Path::kAtomicOp: return "atomic operation";
        case Path::kMBarrier: return "mbarrier operation";
    }
    return "?";
}

}  // namespace

bool refuse(const Access& access) {
    Machine& machine = *current->machine;
    const Region* region = access.region;
    const std::string what = std::string(name_of(access.use, access.path)) + " of " + std::to_string(access.bytes) + " bytes";
    if (region == nullptr) {
        machine.find(Kind::kOutOfBounds, access.where, what + " through a null pointer");
        return false;
    }
    const auto offset = static_cast<long long>(access.address - region->base);
    const std::string where =
        " at byte " + std::to_string(offset) + " of " + region->name + " (" + std::to_string(region->size) + " bytes)";
    if (access.address - region->base > region->size || region->size - (access.address - region->base) < access.bytes) {
        machine.find(Kind::kOutOfBounds, access.where, what + where);
        return false;
    }
    if ((access.address & (access.align - 1)) != 0) {
        machine.find(Kind::kMisaligned, access.where, what + where + ": not a multiple of " + std::to_string(access.align));
        return false;
    }
    const uint8_t* state = region->state + offset;
    if (any_in_flight(state, access.bytes)) {
        machine.find(Kind::kCopyInFlight, access.where, what + where + ", which an asynchronous copy that nobody has waited for writes");
    } else {
        machine.find(Kind::kUninitialised, access.where, what + where + ", which nobody has written");
    }
    return true;
}

void report_stale_read(const Access& access) {
    const Region& region = *access.region;
    const bool is_read = access.use == Use::kLoad;
    const Where other = is_read ? region.written_where : region.read_only_where;
    current->machine->find(Kind::kStaleRead, is_read ? access.where : other,
                           "a read-only load of " + region.name + ", which line " +
                               std::to_string(is_read ? other.line : access.where.line) +
                               " writes in the same chain of launches: the load may be moved before it, or served by a stale cache");
}

void watch(const Access& access) {
    Machine& machine = *current->machine;
    if (!access.region->shared) check_order_of_launches(machine, access);
    if (machine.races()) check_race(access);
    if (Counters* counters = machine.counters()) counters->count(access);
}

}  // namespace hearth::simt
