// Dependent launches: the consumer runs up to its wait before the producer begins.
#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

enum class Bug { kNone, kReadsEarly, kWritesEarly, kNoWait, kOneThreadWaits, kReadOnly };

struct StageArgs {
    GlobalPtr<const float> weight;
    GlobalPtr<float> x, y;
    Bug bug;
};

int line_of_touch = 0;

void stage(StageArgs a) {
    const int i = static_cast<int>(block_x() * block_dim_x() + thread_x());
    grid_trigger();
    const float w = a.weight[i];  // constant: before the wait
    float early = 0;
    line_of_touch = __LINE__ + 1;
    if (a.bug == Bug::kReadsEarly) early = a.x[i];
    if (a.bug == Bug::kWritesEarly) a.x.store(i, 9.0f);
    if (a.bug != Bug::kNoWait && (a.bug != Bug::kOneThreadWaits || thread_x() == 0)) grid_wait();
    if (a.bug == Bug::kOneThreadWaits) sync_block();
    if (a.bug == Bug::kReadOnly) early = a.x.load_vector<4, Cache::kReadOnly>(i / 4 * 4)[0] * 0;
    a.y.store(i, w * (a.bug == Bug::kReadsEarly ? early : a.x[i]) + early);
}

void run_stages(Emulator& gpu, Bug bug) {
    auto weight = gpu.upload<float>("weight", std::vector<float>(64, 2.0f));
    auto x = gpu.upload<float>("x", std::vector<float>(64, 1.0f));
    auto y = gpu.allocate<float>("y", 64), z = gpu.allocate<float>("z", 64), out = gpu.allocate<float>("out", 64);
    const Dim grid{2}, block{32};
    gpu.launch({.name = "first", .grid = grid, .block = block}, stage, StageArgs{weight, x, y, Bug::kNone});
    gpu.launch({.name = "second", .grid = grid, .block = block, .dependent = true}, stage, StageArgs{weight, y, z, bug});
    gpu.launch({.name = "third", .grid = grid, .block = block, .dependent = true}, stage, StageArgs{weight, z, out, Bug::kNone});
    gpu.synchronize();
    if (bug != Bug::kNone) return;
    for (float value : gpu.download(out, 64)) EXPECT_EQ(value, 8.0f);
}

TEST(SimtDependent, AChainWhoseKernelsAllWaitIsCleanEverywhere) {
    EXPECT_CLEAN(check_everywhere([](Emulator& gpu) { run_stages(gpu, Bug::kNone); }));
}

TEST(SimtDependent, ATouchBeforeTheWaitIsFound) {
    Emulator reads, writes;
    run_stages(reads, Bug::kReadsEarly);
    EXPECT_FOUND(reads, Kind::kEarlyTouch, "second", line_of_touch);
    run_stages(writes, Bug::kWritesEarly);
    ASSERT_NE(writes.report().find(Kind::kEarlyTouch), nullptr) << writes.report().to_string();
    EXPECT_EQ(writes.report().find(Kind::kEarlyTouch)->kernel, "second");
}

TEST(SimtDependent, AKernelThatDoesNotWaitIsFound) {
    Emulator gpu;
    run_stages(gpu, Bug::kNoWait);
    const Finding* found = gpu.report().find(Kind::kEarlyTouch);
    ASSERT_NE(found, nullptr) << gpu.report().to_string();
    EXPECT_EQ(found->kernel, "second");
}

TEST(SimtDependent, TheWaitOfOneThreadIsNotTheBlocks) {
    Emulator gpu;
    run_stages(gpu, Bug::kOneThreadWaits);
    const Finding* found = gpu.report().find(Kind::kEarlyTouch);
    ASSERT_NE(found, nullptr) << gpu.report().to_string();
    EXPECT_EQ(found->kernel, "second");
    EXPECT_EQ(found->thread % 32, 1u);
}

TEST(SimtDependent, AReadOnlyLoadOfProducedDataIsFound) {
    Emulator gpu;
    run_stages(gpu, Bug::kReadOnly);
    ASSERT_NE(gpu.report().find(Kind::kStaleRead), nullptr) << gpu.report().to_string();
    EXPECT_EQ(gpu.report().find(Kind::kStaleRead)->kernel, "second");
}

}  // namespace
}  // namespace hearth::simt
