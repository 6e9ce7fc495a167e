// Barriers of the block: what they order, and what is wrong with them when some threads stay away.
#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

int line_of_bug = 0;

void some_stay_away(int first) {
    line_of_bug = __LINE__ + 1;
    if (static_cast<int>(thread_x()) >= first) sync_block();
}

TEST(SimtBarrier, ThreadsThatEndBeforeABarrierAreFound) {
    for (Schedule schedule : {Schedule::kForward, Schedule::kReverse, Schedule::kRandom}) {
        Emulator gpu({.schedule = schedule}), clean({.schedule = schedule});
        gpu.launch({.name = "stay", .block = {64}}, some_stay_away, 1);
        gpu.synchronize();
        EXPECT_FOUND(gpu, Kind::kDivergentBarrier, "stay", line_of_bug);
        clean.launch({.name = "stay", .block = {64}}, some_stay_away, 0);
        clean.synchronize();
        EXPECT_CLEAN(clean);
    }
}

void two_lines(int first) {
    if (static_cast<int>(thread_x()) < first) {
        sync_block();
        line_of_bug = __LINE__ + 2;
    } else {
        sync_block();
    }
}

TEST(SimtBarrier, TwoBarriersOfOneBlockDiverge) {
    Emulator gpu, clean;
    gpu.launch({.name = "two", .block = {64}}, two_lines, 32);
    gpu.synchronize();
    const Finding* found = gpu.report().find(Kind::kDivergentBarrier);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->kernel, "two");
    clean.launch({.name = "two", .block = {64}}, two_lines, 64);
    clean.synchronize();
    EXPECT_CLEAN(clean);
    EXPECT_EQ(found->where.line, line_of_bug);
}

void named(int threads) {
    if (thread_x() < 32) {
        arrive_named(1, 64);
    } else if (thread_x() < 64) {
        line_of_bug = __LINE__ + 1;
        sync_named(1, static_cast<unsigned>(threads));
    }
}

TEST(SimtBarrier, ANamedBarrierOfTheWrongCountIsFound) {
    Emulator gpu, clean;
    gpu.launch({.name = "named", .block = {96}}, named, 96);
    gpu.synchronize();
    EXPECT_FOUND(gpu, Kind::kDivergentBarrier, "named", line_of_bug);
    clean.launch({.name = "named", .block = {96}}, named, 64);
    clean.synchronize();
    EXPECT_CLEAN(clean);
}

void waits_alone(int) {
    line_of_bug = __LINE__ + 1;
    if (thread_x() < 32) sync_named(2, 64);
}

TEST(SimtBarrier, ADeadlockIsFoundAndOtherBlocksRunOn) {
    Emulator gpu;
    gpu.launch({.name = "alone", .grid = {2}, .block = {64}}, waits_alone, 0);
    gpu.synchronize();
    EXPECT_FOUND(gpu, Kind::kDeadlock, "alone", line_of_bug);
    EXPECT_EQ(gpu.report().total(), 2u);  // one of each block
}

}  // namespace
}  // namespace hearth::simt
