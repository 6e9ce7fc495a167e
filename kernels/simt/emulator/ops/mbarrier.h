// Barriers in shared memory that count arrivals and bytes, and bulk copies that complete on them (sm_90). PTX ISA, "mbarrier",
// "cp.async.bulk".
//
// Phases count from 0 and complete when all expected arrivals have come and all expected bytes have landed. An arrival releases what its
// own thread did before, and no other thread's stores: where one lane arrives for a warp, sync_warp() comes first.
#pragma once

#include "kernels/simt/emulator/memory/pointers.h"

namespace hearth::simt {

/// What lies in shared memory: eight opaque bytes.
struct alignas(8) MBarrierWord {
    uint64_t opaque;
};

void init_mbarrier(Region* region, uintptr_t address, unsigned count, Where where);
void arrive_mbarrier(Region* region, uintptr_t address, uint32_t bytes, Where where);
void wait_mbarrier(Region* region, uintptr_t address, unsigned parity, Where where);
void issue_bulk(PendingCopy copy, Region* region, uintptr_t address);
void fence_inits();

/// By one thread, then fence_mbarrier_init(), then a barrier of all who use it. A phase takes `count` arrivals.
inline void mbarrier_init(SharedPtr<MBarrierWord> at, unsigned count, Where where = Where::here()) {
    init_mbarrier(at.region(), at.address(), count, where);
}
/// Makes the thread's inits known to the unit that copies. Before the first bulk copy on them.
inline void fence_mbarrier_init() { fence_inits(); }

inline void mbarrier_arrive(SharedPtr<MBarrierWord> at, Where where = Where::here()) {
    arrive_mbarrier(at.region(), at.address(), 0, where);
}

/// Arrives, and lets the phase wait for `bytes` more that bulk copies bring.
inline void mbarrier_arrive_expect(SharedPtr<MBarrierWord> at, uint32_t bytes, Where where = Where::here()) {
    arrive_mbarrier(at.region(), at.address(), bytes, where);
}
/// Waits until the phase of this parity (0 for the first) is complete. The thread then sees what arrivals released and copies brought.
inline void mbarrier_wait(SharedPtr<MBarrierWord> at, unsigned parity, Where where = Where::here()) {
    wait_mbarrier(at.region(), at.address(), parity, where);
}

/// `bytes` from `from` to `to`, all multiples of 16; completes on `on`, which must expect them. Called by one thread.
template <class T>
void bulk_load(SharedPtr<T> to, GlobalPtr<const T> from, uint32_t bytes, SharedPtr<MBarrierWord> on, Where where = Where::here()) {
    issue_bulk({.to = to.region(),
                .to_address = to.address(),
                .from = from.region(),
                .from_address = from.address(),
                .bytes = bytes,
                .source_bytes = bytes,
                .group = 0,
                .where = where},
               on.region(), on.address());
}

}  // namespace hearth::simt
