// cp.async: a ring of stages, with its waits and barriers left out one by one.
#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

enum class Bug { kNone, kNoWait, kWaitAfterUse, kNoBarrierAfterWait, kEarlyReuse, kMisaligned, kOutOfBounds };

struct RingArgs {
    GlobalPtr<const float> x;  // [stages of 64 floats]
    GlobalPtr<float> y;        // [64]: sums over stages, of the mirrored element
    int steps;
    Bug bug;
};

int line_of_use = 0, line_of_issue = 0;

void issue(const RingArgs& a, SharedPtr<float> ring, int step) {
    const int t = static_cast<int>(thread_x());
    const int to = step % 2 * 64 + t, from = step * 64 + t + (a.bug == Bug::kOutOfBounds ? 64 : 0);
    if (step < a.steps) {
        line_of_issue = __LINE__ + 1;
        if (a.bug != Bug::kMisaligned) cp_async<4>(ring + to, a.x + from);
        if (a.bug == Bug::kMisaligned && t % 2 == 0) cp_async<8>(ring + to, a.x + (from + 1));
    }
    cp_async_commit();
}

/// Two stages: the copy of the next step is under way while this one is used.
void ring_sum(RingArgs a) {
    SharedArena arena;
    auto ring = arena.take<float>(128);
    const int t = static_cast<int>(thread_x());
    float sum = 0;
    issue(a, ring, 0);
    for (int step = 0; step < a.steps; ++step) {
        if (a.bug == Bug::kEarlyReuse || step == 0) {
            issue(a, ring, step + 1);  // without a barrier: others may still read that stage
        } else {
            sync_block();
            issue(a, ring, step + 1);
        }
        if (a.bug != Bug::kNoWait && a.bug != Bug::kWaitAfterUse) cp_async_wait<1>();
        if (a.bug != Bug::kNoBarrierAfterWait) sync_block();
        line_of_use = __LINE__ + 1;
        sum += ring[step % 2 * 64 + 63 - t];
        if (a.bug == Bug::kWaitAfterUse) cp_async_wait<1>();
    }
    a.y.store(t, sum);
}

void run_ring(Emulator& gpu, Bug bug, int steps = 4) {
    std::vector<float> x(static_cast<size_t>(steps) * 64);
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 97);
    auto in = gpu.upload<float>("x", x);
    auto out = gpu.allocate<float>("y", 64);
    gpu.launch({.name = "ring", .block = {64}, .shared_bytes = 512}, ring_sum, RingArgs{in, out, steps, bug});
    gpu.synchronize();
    if (bug != Bug::kNone) return;
    const auto y = gpu.download(out, 64);
    for (size_t t = 0; t < 64; ++t) {
        float sum = 0;
        for (size_t s = 0; s < static_cast<size_t>(steps); ++s) sum += x[s * 64 + 63 - t];
        EXPECT_EQ(y[t], sum);
    }
}

TEST(SimtCopy, ARightRingIsCleanEverywhere) {
    EXPECT_CLEAN(check_everywhere([](Emulator& gpu) { run_ring(gpu, Bug::kNone); }));
}

TEST(SimtCopy, AMissingWaitIsFoundInEveryRun) {
    for (Landing landing : {Landing::kAtWait, Landing::kAtIssue}) {
        Emulator gpu({.landing = landing});
        run_ring(gpu, Bug::kNoWait);
        EXPECT_FOUND(gpu, Kind::kCopyInFlight, "ring", line_of_use);
    }
}

TEST(SimtCopy, AWaitAfterTheUseIsFound) {
    Emulator gpu;
    run_ring(gpu, Bug::kWaitAfterUse);
    EXPECT_FOUND(gpu, Kind::kCopyInFlight, "ring", line_of_use);
}

TEST(SimtCopy, AWaitIsForTheOwnCopiesAlone) {
    const Report report = check_everywhere([](Emulator& gpu) { run_ring(gpu, Bug::kNoBarrierAfterWait); });
    EXPECT_TRUE(report.find(Kind::kRace) != nullptr || report.find(Kind::kCopyInFlight) != nullptr) << report.to_string();
    Emulator gpu({.races = true});
    run_ring(gpu, Bug::kNoBarrierAfterWait, 1);
    ASSERT_FALSE(gpu.report().clean());
    EXPECT_EQ(gpu.report().findings()[0].where.line, line_of_use);
}

TEST(SimtCopy, AStageReusedTooEarlyIsFound) {
    Emulator gpu({.races = true});
    run_ring(gpu, Bug::kEarlyReuse);
    EXPECT_FOUND(gpu, Kind::kRace, "ring", line_of_issue);
}

TEST(SimtCopy, AMisalignedCopyIsFound) {
    Emulator gpu;
    run_ring(gpu, Bug::kMisaligned);
    EXPECT_FOUND(gpu, Kind::kMisaligned, "ring", line_of_issue + 1);
}

TEST(SimtCopy, ACopyFromPastTheEndIsFound) {
    Emulator gpu;
    run_ring(gpu, Bug::kOutOfBounds);
    EXPECT_FOUND(gpu, Kind::kOutOfBounds, "ring", line_of_issue);
}

struct TailArgs {
    GlobalPtr<const float> x;
    GlobalPtr<float> y;
    int valid_bytes, to;
};

int line_of_tail = 0;

void copy_tail(TailArgs a) {
    SharedArena arena;
    auto tile = arena.take<float>(4);
    line_of_tail = __LINE__ + 1;
    cp_async<16>(tile + a.to, a.x, a.valid_bytes);
    cp_async_commit();
    cp_async_wait<0>();
    for (int i = 0; i < 4; ++i) a.y.store(i, tile[i]);
}

TEST(SimtCopy, WhatLiesPastTheSourceBytesBecomesZero) {
    Emulator clean, reads, writes;
    for (Emulator* gpu : {&clean, &reads, &writes}) {
        auto x = gpu->upload<float>("x", std::vector<float>{1, 2, 3});
        auto y = gpu->allocate<float>("y", 4);
        const int valid = gpu == &reads ? 16 : 12, to = gpu == &writes ? 4 : 0;
        gpu->launch({.name = "tail", .block = {1}, .shared_bytes = 16}, copy_tail, TailArgs{x, y, valid, to});
        gpu->synchronize();
        if (gpu != &clean) continue;
        EXPECT_EQ(gpu->download(y, 4), (std::vector<float>{1, 2, 3, 0}));
    }
    EXPECT_CLEAN(clean);
    EXPECT_FOUND(reads, Kind::kOutOfBounds, "tail", line_of_tail);
    EXPECT_FOUND(writes, Kind::kOutOfBounds, "tail", line_of_tail);
}

}  // namespace
}  // namespace hearth::simt
