// Shuffles at their edges against tables written by hand from the PTX ISA, votes, reductions, and warps that diverge.
#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

int line_of_bug = 0;

enum class Which { kIndex, kXor, kUp, kDown };

struct ShuffleArgs {
    GlobalPtr<int> y;
    Which which;
    int operand, width;
};

void shuffle_kernel(ShuffleArgs a) {
    const int l = static_cast<int>(lane());
    int got = -1;
    if (a.which == Which::kIndex) got = shuffle(l, a.operand, a.width);
    if (a.which == Which::kXor) got = shuffle_xor(l, a.operand, a.width);
    if (a.which == Which::kUp) got = shuffle_up(l, static_cast<unsigned>(a.operand), a.width);
    if (a.which == Which::kDown) got = shuffle_down(l, static_cast<unsigned>(a.operand), a.width);
    a.y.store(l, got);
}

std::vector<int> shuffled(Which which, int operand, int width, Schedule schedule = Schedule::kForward) {
    Emulator gpu({.schedule = schedule});
    auto y = gpu.allocate<int>("y", 32);
    gpu.launch({.name = "shuffle"}, shuffle_kernel, ShuffleArgs{y, which, operand, width});
    gpu.synchronize();
    EXPECT_CLEAN(gpu);
    return gpu.download(y, 32);
}

TEST(SimtWarp, ShufflesKeepToTheirSegments) {
    for (Schedule schedule : {Schedule::kForward, Schedule::kReverse, Schedule::kRandom}) {
        for (int l = 0; l < 32; ++l) {
            const auto at = static_cast<size_t>(l);
            EXPECT_EQ(shuffled(Which::kIndex, 5, 32, schedule)[at], 5);
            EXPECT_EQ(shuffled(Which::kIndex, 37, 32, schedule)[at], 5);  // operands count modulo 32
            EXPECT_EQ(shuffled(Which::kIndex, 3, 8, schedule)[at], l / 8 * 8 + 3);
            EXPECT_EQ(shuffled(Which::kIndex, 11, 8, schedule)[at], l / 8 * 8 + 3);  // and modulo the width
            EXPECT_EQ(shuffled(Which::kXor, 1, 32, schedule)[at], l ^ 1);
            EXPECT_EQ(shuffled(Which::kXor, 16, 8, schedule)[at], l < 16 ? l : l - 16);  // a later segment is not read, an earlier one is
            EXPECT_EQ(shuffled(Which::kUp, 1, 32, schedule)[at], l == 0 ? 0 : l - 1);
            EXPECT_EQ(shuffled(Which::kUp, 2, 4, schedule)[at], l % 4 < 2 ? l : l - 2);
            EXPECT_EQ(shuffled(Which::kDown, 1, 32, schedule)[at], l == 31 ? 31 : l + 1);
            EXPECT_EQ(shuffled(Which::kDown, 3, 16, schedule)[at], l % 16 > 12 ? l : l + 3);
        }
    }
}

struct VoteArgs {
    GlobalPtr<uint32_t> y;
};

void vote_kernel(VoteArgs a) {
    const uint32_t l = lane();
    const bool upper = l >= 16;
    const uint32_t half = upper ? 0xffff0000u : 0xffffu;
    a.y.store(l * 8 + 0, ballot(l % 3 == 0));
    a.y.store(l * 8 + 1, ballot(l % 3 == 0, half));  // two meetings of one warp at one line
    a.y.store(l * 8 + 2, all_of(l < 16, half) ? 1u : 0u);
    a.y.store(l * 8 + 3, any_of(l == 31) ? 1u : 0u);
    a.y.store(l * 8 + 4, match_any(l / 8));
    a.y.store(l * 8 + 5, reduce(Reduction::kAdd, l));
    a.y.store(l * 8 + 6, static_cast<uint32_t>(reduce(Reduction::kMin, static_cast<int32_t>(l) - 7)));
    a.y.store(l * 8 + 7, reduce(Reduction::kMax, l - 7));  // unsigned: -1 is the largest
}

TEST(SimtWarp, VotesAndReductions) {
    for (Schedule schedule : {Schedule::kForward, Schedule::kReverse, Schedule::kRandom}) {
        Emulator gpu({.schedule = schedule});
        auto y = gpu.allocate<uint32_t>("y", 256);
        gpu.launch({.name = "vote"}, vote_kernel, VoteArgs{y});
        gpu.synchronize();
        EXPECT_CLEAN(gpu);
        const auto got = gpu.download(y, 256);
        uint32_t thirds = 0;
        for (uint32_t l = 0; l < 32; l += 3) thirds |= 1u << l;
        for (uint32_t l = 0; l < 32; ++l) {
            const uint32_t* row = &got[l * 8];
            EXPECT_EQ(row[0], thirds);
            EXPECT_EQ(row[1], thirds & (l < 16 ? 0xffffu : 0xffff0000u));
            EXPECT_EQ(row[2], l < 16 ? 1u : 0u);
            EXPECT_EQ(row[3], 1u);
            EXPECT_EQ(row[4], 0xffu << (l / 8 * 8));
            EXPECT_EQ(row[5], 496u);
            EXPECT_EQ(row[6], static_cast<uint32_t>(-7));
            EXPECT_EQ(row[7], static_cast<uint32_t>(-1));
        }
    }
}

void half_shuffles(int first) {
    line_of_bug = __LINE__ + 1;
    if (static_cast<int>(lane()) >= first) (void)shuffle_xor(1, 1);
}

TEST(SimtWarp, LanesThatStayAwayFromAShuffleAreFound) {
    for (Schedule schedule : {Schedule::kForward, Schedule::kReverse, Schedule::kRandom}) {
        Emulator gpu({.schedule = schedule}), clean({.schedule = schedule});
        gpu.launch({.name = "half"}, half_shuffles, 16);
        gpu.synchronize();
        EXPECT_FOUND(gpu, Kind::kDivergentWarp, "half", line_of_bug);
        clean.launch({.name = "half"}, half_shuffles, 0);
        clean.synchronize();
        EXPECT_CLEAN(clean);
    }
}

void two_operations(int first) {
    if (static_cast<int>(lane()) < first) {
        (void)ballot(true);
    } else {
        (void)shuffle(1, 0);
    }
}

TEST(SimtWarp, TwoOperationsUnderOneMaskDiverge) {
    Emulator gpu, clean;
    gpu.launch({.name = "two"}, two_operations, 16);
    gpu.synchronize();
    ASSERT_NE(gpu.report().find(Kind::kDivergentWarp), nullptr);
    EXPECT_EQ(gpu.report().find(Kind::kDivergentWarp)->kernel, "two");
    clean.launch({.name = "two"}, two_operations, 32);
    clean.synchronize();
    EXPECT_CLEAN(clean);
}

void reads_outside(int source) {
    if (lane() >= 16) return;
    line_of_bug = __LINE__ + 1;
    (void)shuffle(1, source, 32, 0xffff);
}

TEST(SimtWarp, AShuffleFromOutsideOfItsMaskIsFound) {
    Emulator gpu, clean;
    gpu.launch({.name = "outside"}, reads_outside, 20);
    gpu.synchronize();
    EXPECT_FOUND(gpu, Kind::kBadLane, "outside", line_of_bug);
    clean.launch({.name = "outside"}, reads_outside, 10);
    clean.synchronize();
    EXPECT_CLEAN(clean);
}

}  // namespace
}  // namespace hearth::simt
