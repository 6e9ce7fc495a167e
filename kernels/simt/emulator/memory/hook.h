// The one way to memory. Scalar and vector accesses, ldmatrix, copies, atomics and mbarriers all ask admit() first.
//
// A path round this function is a path on which nothing is found. Whoever adds an operation calls it for every byte that the operation
// touches, and adds a planted bug to tests/kernels/simt.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/simt/emulator/machine/thread.h"
#include "kernels/simt/emulator/memory/region.h"

namespace hearth::simt {

enum class Use : uint8_t { kLoad, kStore, kAtomic };

/// Which operation asks: names the access in findings and in counters.
enum class Path : uint8_t { kScalar, kVector, kReadOnly, kLdmatrix, kCopy, kBulk, kAtomicOp, kMBarrier };

struct Access {
    Region* region;
    uintptr_t address;
    uint32_t bytes;
    uint32_t align;
    Use use;
    Path path;
    Where where;
};

/// Reports why the access is refused. Returns true where it may go on after all (an uninitialised read goes on with the poison).
bool refuse(const Access& access);
/// A buffer is written, and read by read-only loads, while the same kernels are in flight.
void report_stale_read(const Access& access);
/// Race check, counters, dependent launch: whatever of them this run does.
void watch(const Access& access);

inline bool all_good(const uint8_t* state, uint32_t bytes) {
    constexpr uint64_t kAll = 0x0101010101010101;
    switch (bytes) {
        case 1: return *state == kGood;
        case 2: {
            uint16_t v;
            std::memcpy(&v, state, 2);
            return v == static_cast<uint16_t>(kAll);
        }
        case 4: {
            uint32_t v;
            std::memcpy(&v, state, 4);
            return v == static_cast<uint32_t>(kAll);
        }
        case 8: {
            uint64_t v;
            std::memcpy(&v, state, 8);
            return v == kAll;
        }
        default:
            for (uint32_t i = 0; i < bytes; ++i) {
                if (state[i] != kGood) return false;
            }
            return true;
    }
}

inline bool any_in_flight(const uint8_t* state, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; ++i) {
        if (state[i] == kInFlight) return true;
    }
    return false;
}

/// May the current thread touch these bytes? False: the access must not happen (a load gives zero).
inline bool admit(const Access& access) {
    Region* region = access.region;
    if (region == nullptr || access.address - region->base > region->size ||
        region->size - (access.address - region->base) < access.bytes || (access.address & (access.align - 1)) != 0) [[unlikely]] {
        return refuse(access);
    }
    if (region->state != nullptr) {
        uint8_t* state = region->state + (access.address - region->base);
        if (!all_good(state, access.bytes)) [[unlikely]] {
            if (access.use != Use::kStore || any_in_flight(state, access.bytes)) {
                if (!refuse(access)) return false;
            }
            if (access.use != Use::kLoad) std::memset(state, kGood, access.bytes);
        }
    }
    if (access.use != Use::kLoad) {
        if (region->read_only_chain == current->chain) [[unlikely]]
            report_stale_read(access);
        region->written_chain = current->chain;
        region->written_where = access.where;
    } else if (access.path == Path::kReadOnly) {
        if (region->written_chain == current->chain) [[unlikely]]
            report_stale_read(access);
        region->read_only_chain = current->chain;
        region->read_only_where = access.where;
    }
    if (current->watched) [[unlikely]]
        watch(access);
    return true;
}

}  // namespace hearth::simt
