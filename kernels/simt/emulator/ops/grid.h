// Programmatic dependent launch (sm_90). PTX ISA, "griddepcontrol".
#pragma once

#include "kernels/simt/emulator/where.h"

namespace hearth::simt {

void wait_for_grid(Where where);

/// Waits until the launch before this one has ended and its writes are visible. Per thread: every thread that touches what other kernels
/// write, or writes what they read, waits; and every kernel of a chain waits, else the one after it overtakes. At once in a kernel that was
/// not launched as dependent.
inline void grid_wait(Where where = Where::here()) { wait_for_grid(where); }

/// Lets the dependent launch begin as soon as all blocks have said so or ended. Promises nothing about memory. The emulator always begins
/// it as early as it may.
inline void grid_trigger() {}

}  // namespace hearth::simt
