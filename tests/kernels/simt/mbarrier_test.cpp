// A producer warp fills stages by bulk copies, consumer warps use them: full and empty mbarriers, and what happens without each.
#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

enum class Bug {
    kNone,
    kConsumerDoesNotWait,
    kProducerDoesNotWait,
    kElectedLaneArrivesAlone,
    kNoFence,
    kNoBarrierAfterInit,
    kTooManyArrivals,
    kMisaligned,
    kOutOfBounds,
    kExpectsTooMuch,
    kOneLaneWaits
};

constexpr int kStages = 2, kTile = 64;  // floats of a stage

struct PipeArgs {
    GlobalPtr<const float> x;
    GlobalPtr<float> y;
    int steps;
    Bug bug;
};

int line_of_use = 0, line_of_bulk = 0, line_of_arrive = 0, line_of_wait = 0;

void produce(const PipeArgs& a, SharedPtr<float> ring, SharedPtr<MBarrierWord> full, SharedPtr<MBarrierWord> empty) {
    for (int step = 0; step < a.steps; ++step) {
        const int stage = step % kStages;
        const unsigned round = static_cast<unsigned>(step / kStages);
        if (a.bug != Bug::kProducerDoesNotWait && round > 0) mbarrier_wait(empty + stage, (round - 1) & 1);
        mbarrier_arrive_expect(full + stage, kTile * 4 + (a.bug == Bug::kExpectsTooMuch ? 16 : 0));
        const int shift = a.bug == Bug::kMisaligned ? 1 : a.bug == Bug::kOutOfBounds ? kTile : 0;
        line_of_bulk = __LINE__ + 1;
        bulk_load(ring + stage * kTile, a.x + (step * kTile + shift), kTile * 4, full + stage);
    }
}

float consume(const PipeArgs& a, SharedPtr<float> ring, SharedPtr<MBarrierWord> full, SharedPtr<MBarrierWord> empty) {
    float sum = 0;
    const int t = static_cast<int>(thread_x()) - 32;
    for (int step = 0; step < a.steps; ++step) {
        const int stage = step % kStages;
        const bool waits = a.bug != Bug::kConsumerDoesNotWait && (a.bug != Bug::kOneLaneWaits || lane() == 0);
        line_of_wait = __LINE__ + 1;
        if (waits) mbarrier_wait(full + stage, static_cast<unsigned>(step / kStages) & 1);
        line_of_use = __LINE__ + 1;
        sum += ring[stage * kTile + t];
        if (a.bug != Bug::kElectedLaneArrivesAlone) sync_warp();
        line_of_arrive = __LINE__ + 1;
        if (lane() == 0) mbarrier_arrive(empty + stage);
        if (a.bug == Bug::kTooManyArrivals && lane() == 1) mbarrier_arrive(empty + stage);
    }
    return sum;
}

void pipe(PipeArgs a) {
    SharedArena arena;
    auto ring = arena.take<float, 128>(kStages * kTile);
    auto full = arena.take<MBarrierWord>(kStages);
    auto empty = arena.take<MBarrierWord>(kStages);
    if (thread_x() == 0) {
        for (int s = 0; s < kStages; ++s) {
            mbarrier_init(full + s, 1);
            mbarrier_init(empty + s, 2);  // an elected lane of each consumer warp
        }
        if (a.bug != Bug::kNoFence) fence_mbarrier_init();
    }
    if (a.bug != Bug::kNoBarrierAfterInit) sync_block();
    if (warp() == 0) {
        if (lane() == 0) produce(a, ring, full, empty);
    } else {
        a.y.store(thread_x() - 32, consume(a, ring, full, empty));
    }
}

void run_pipe(Emulator& gpu, Bug bug, int steps = 6) {
    std::vector<float> x(static_cast<size_t>(steps) * kTile);
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 89);
    auto in = gpu.upload<float>("x", x);
    auto out = gpu.allocate<float>("y", kTile);
    gpu.launch({.name = "pipe", .block = {96}, .shared_bytes = 1024}, pipe, PipeArgs{in, out, steps, bug});
    gpu.synchronize();
    if (bug != Bug::kNone) return;
    const auto y = gpu.download(out, kTile);
    for (size_t t = 0; t < kTile; ++t) {
        float sum = 0;
        for (size_t s = 0; s < static_cast<size_t>(steps); ++s) sum += x[s * kTile + t];
        EXPECT_EQ(y[t], sum);
    }
}

TEST(SimtMBarrier, ARightPipelineIsCleanEverywhere) {
    EXPECT_CLEAN(check_everywhere([](Emulator& gpu) { run_pipe(gpu, Bug::kNone); }));
}

TEST(SimtMBarrier, AConsumerThatDoesNotWaitIsFound) {
    Emulator gpu;
    run_pipe(gpu, Bug::kConsumerDoesNotWait);
    EXPECT_FOUND(gpu, Kind::kCopyInFlight, "pipe", line_of_use);
}

TEST(SimtMBarrier, AProducerWarpThatDoesNotWaitIsFound) {
    const Report report = check_everywhere([](Emulator& gpu) { run_pipe(gpu, Bug::kProducerDoesNotWait); });
    EXPECT_FOUND(report, Kind::kRace, "pipe", line_of_bulk);  // a second copy to a stage that others still read
}

TEST(SimtMBarrier, AnElectedLaneReleasesItsOwnReadsOnly) {
    Emulator gpu({.races = true});
    run_pipe(gpu, Bug::kElectedLaneArrivesAlone);
    EXPECT_FOUND(gpu, Kind::kRace, "pipe", line_of_bulk);
}

TEST(SimtMBarrier, TheWaitOfOneLaneIsNotTheWarps) {
    Emulator gpu({.races = true});
    run_pipe(gpu, Bug::kOneLaneWaits, 1);
    ASSERT_FALSE(gpu.report().clean());
    EXPECT_EQ(gpu.report().findings()[0].where.line, line_of_use);
}

TEST(SimtMBarrier, AnInitWithoutFenceIsFound) {
    Emulator gpu;
    run_pipe(gpu, Bug::kNoFence);
    EXPECT_FOUND(gpu, Kind::kBadMBarrier, "pipe", line_of_bulk);
}

TEST(SimtMBarrier, AnInitWithoutBarrierIsFound) {
    Emulator reverse({.schedule = Schedule::kReverse}), races({.races = true});
    run_pipe(reverse, Bug::kNoBarrierAfterInit);
    EXPECT_FOUND(reverse, Kind::kBadMBarrier, "pipe", line_of_wait);
    run_pipe(races, Bug::kNoBarrierAfterInit);
    EXPECT_FOUND(races, Kind::kRace, "pipe", line_of_wait);
}

TEST(SimtMBarrier, TooManyArrivalsAreFound) {
    // Four arrivals where two are expected complete each phase twice, so that the producer overtakes.
    const Report report = check_everywhere([](Emulator& gpu) { run_pipe(gpu, Bug::kTooManyArrivals); });
    EXPECT_FALSE(report.clean());
}

TEST(SimtMBarrier, ABulkCopysAddressesAreChecked) {
    Emulator misaligned, outside;
    run_pipe(misaligned, Bug::kMisaligned);
    EXPECT_FOUND(misaligned, Kind::kMisaligned, "pipe", line_of_bulk);
    run_pipe(outside, Bug::kOutOfBounds);
    EXPECT_FOUND(outside, Kind::kOutOfBounds, "pipe", line_of_bulk);
}

TEST(SimtMBarrier, BytesThatNeverComeAreADeadlock) {
    Emulator gpu;
    run_pipe(gpu, Bug::kExpectsTooMuch, 1);
    EXPECT_FOUND(gpu, Kind::kDeadlock, "pipe", line_of_wait);
}

}  // namespace
}  // namespace hearth::simt
