// How much memory this process may take, whatever the machine has.
#pragma once

#include <cstdint>
#include <string>

namespace hearth {

/// The least of the machine's memory, the limits of this process' control groups and of all groups around them (cgroup v1 and v2, as
/// containers, Slurm and systemd set them), and the limit of its address space (`ulimit -v`). Bytes. A limit that cannot be read is none.
int64_t memory_limit_bytes();

/// The least limit of the control groups that `root`/proc/self/cgroup names, below `root`/sys/fs/cgroup; INT64_MAX where there is none.
/// Tests lay out a tree of their own.
int64_t control_group_limit_bytes(const std::string& root);

}  // namespace hearth
