// Barriers of the block. PTX ISA, "Parallel Synchronization and Communication Instructions: bar, barrier".
#pragma once

#include "kernels/simt/emulator/where.h"

namespace hearth::simt {

void barrier(unsigned id, unsigned threads, bool waits, Where where);
void block_barrier(Where where);

/// __syncthreads(): all threads of the block, at one and the same line.
inline void sync_block(Where where = Where::here()) { block_barrier(where); }

/// bar.sync id, threads: waits for `threads` arrivals (a multiple of 32) at barrier 1 to 15, its own among them.
inline void sync_named(unsigned id, unsigned threads, Where where = Where::here()) { barrier(id, threads, true, where); }

/// bar.arrive id, threads: counts, and goes on. What it did before is ordered before those who sync.
inline void arrive_named(unsigned id, unsigned threads, Where where = Where::here()) { barrier(id, threads, false, where); }

}  // namespace hearth::simt
