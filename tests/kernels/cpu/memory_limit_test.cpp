#include "kernels/cpu/memory_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>

#include "tests/support/temp_folder.h"

namespace hearth {
namespace {

/// Files of /proc and /sys as a machine might have them.
class FakeRoot : public testing::TempFolder {
public:
    int64_t limit() const { return control_group_limit_bytes(path().string()); }
};

TEST(ControlGroups, NestedVersionTwoCountsWithAllAroundIt) {
    FakeRoot root;
    root.write("proc/self/cgroup", "0::/system.slice/run-1.scope/inner\n");
    root.write("sys/fs/cgroup/system.slice/memory.max", "max\n");
    root.write("sys/fs/cgroup/system.slice/run-1.scope/memory.max", "220000000\n");
    root.write("sys/fs/cgroup/system.slice/run-1.scope/inner/memory.max", "max\n");
    EXPECT_EQ(root.limit(), 220'000'000);
    root.write("sys/fs/cgroup/system.slice/run-1.scope/inner/memory.max", "110000000\n");
    EXPECT_EQ(root.limit(), 110'000'000);
}

TEST(ControlGroups, NestedVersionOneCounts) {
    FakeRoot root;
    root.write("proc/self/cgroup", "5:cpu,cpuacct:/other\n4:memory:/slurm/uid_0/job_7\n0::/\n");
    root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");  // how version one writes no limit
    root.write("sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.limit_in_bytes", "220000000\n");
    EXPECT_EQ(root.limit(), 220'000'000);
}

TEST(ControlGroups, AContainersOwnRootCounts) {
    FakeRoot root;
    root.write("proc/self/cgroup", "0::/\n");
    root.write("sys/fs/cgroup/memory.max", "1000000000\n");
    EXPECT_EQ(root.limit(), 1'000'000'000);
    root.write("proc/self/cgroup", "4:memory:/docker/abc\n");  // as the host names it: no such folder in here
    EXPECT_EQ(root.limit(), 1'000'000'000);
}

TEST(ControlGroups, WhatCannotBeReadIsNoLimit) {
    FakeRoot root;
    EXPECT_EQ(root.limit(), INT64_MAX);
    root.write("proc/self/cgroup", "nonsense\n0::\n0::/../../other\n::::\n");
    root.write("sys/fs/cgroup/memory.max", "-5\n");
    EXPECT_EQ(root.limit(), INT64_MAX);
}

TEST(MemoryLimit, TheLimitOfTheAddressSpaceCounts) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer takes terabytes of address space";
#endif
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
    rlimit small = before;
    small.rlim_cur = 8'000'000'000;
    ASSERT_EQ(::setrlimit(RLIMIT_AS, &small), 0);
    EXPECT_LE(memory_limit_bytes(), 8'000'000'000);
    ::setrlimit(RLIMIT_AS, &before);
}

}  // namespace
}  // namespace hearth
