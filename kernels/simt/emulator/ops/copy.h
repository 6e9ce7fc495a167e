// Copies from global to shared memory that go on while the thread does. PTX ISA, "Data Movement: cp.async", "cp.async.commit_group",
// "cp.async.wait_group".
//
// A copy is a thread's own: its wait makes the bytes visible to that thread, and a barrier after it to others. From issue to wait nobody
// may touch the destination. When the bytes really move is the run's Landing.
#pragma once

#include "kernels/simt/emulator/memory/pointers.h"

namespace hearth::simt {

/// Checks both ends, marks the destination as in flight. False: the copy must not happen.
bool begin_copy(const PendingCopy& copy, uint32_t align, Path path);
/// Moves the bytes, without a check.
void move_bytes(const PendingCopy& copy);
/// The destination holds its bytes from now on.
void finish_copy(const PendingCopy& copy);

void issue_copy(PendingCopy copy);
void commit_copies(Where where);
void wait_copies(uint32_t groups_left, Where where);

/// kBytes (4, 8 or 16) from `from` to `to`, both multiples of kBytes. Of the source only `source_bytes` are read, the rest becomes zero.
template <int kBytes, class T>
void cp_async(SharedPtr<T> to, GlobalPtr<const T> from, int source_bytes = kBytes, Where where = Where::here()) {
    static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16);
    issue_copy({.to = to.region(),
                .to_address = to.address(),
                .from = from.region(),
                .from_address = from.address(),
                .bytes = kBytes,
                .source_bytes = static_cast<uint32_t>(source_bytes),
                .group = 0,
                .where = where});
}

/// Makes a group of the thread's copies since the last commit (maybe of none).
inline void cp_async_commit(Where where = Where::here()) { commit_copies(where); }

/// Waits until at most kLeft of the newest groups are under way.
template <int kLeft>
void cp_async_wait(Where where = Where::here()) {
    wait_copies(kLeft, where);
}

}  // namespace hearth::simt
