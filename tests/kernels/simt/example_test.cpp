// The kernel that NOTES.md walks through, under everything that the emulator checks and counts.
#include "kernels/simt/emulator/checks/counters.h"
#include "kernels/simt/example/row_dot.h"
#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

using example::RowDotArgs;

constexpr int kRows = 3, kColumns = 1024;

void fill_x(GlobalPtr<float> x) {
    grid_wait();
    for (int i = static_cast<int>(thread_x()); i < kColumns; i += 32) x.store(i, static_cast<float>(i % 5));
}

GlobalPtr<const float> run_row_dot(Emulator& gpu) {
    std::vector<float> w(kRows * kColumns);
    for (size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i % 7);
    GlobalPtr<const float> weights = gpu.upload<float>("w", w);
    auto x = gpu.allocate<float>("x", kColumns);
    auto y = gpu.allocate<float>("y", kRows);
    gpu.launch({.name = "fill_x"}, fill_x, x);
    gpu.launch({.name = "row_dot",
                .grid = {kRows, 1, 1},
                .block = {example::kThreads, 1, 1},
                .shared_bytes = example::kSharedBytes,
                .dependent = true},
               example::row_dot, RowDotArgs{weights, x, y, kColumns});
    gpu.synchronize();
    const auto got = gpu.download(y, kRows);
    for (size_t n = 0; n < kRows; ++n) {
        float sum = 0;  // small integers: exact in any order
        for (size_t i = 0; i < kColumns; ++i) sum += w[n * kColumns + i] * static_cast<float>(i % 5);
        EXPECT_EQ(got[n], sum);
    }
    return weights;
}

TEST(SimtExample, RowDotIsCleanEverywhere) {
    EXPECT_CLEAN(check_everywhere([](Emulator& gpu) { run_row_dot(gpu); }));
}

TEST(SimtExample, RowDotReadsEachWeightOnceInWholeSectorsWithoutConflicts) {
    Emulator gpu({.counters = true});
    const auto w = run_row_dot(gpu);
    EXPECT_CLEAN(gpu);
    EXPECT_EQ(w.region()->reads->least(), 1u);
    EXPECT_EQ(w.region()->reads->most(), 1u);
    const Counters& counters = *gpu.machine().counters();
    for (const auto& [line, count] : counters.lines()) {
        if (count.requests < 24) continue;  // the tail of a block
        EXPECT_EQ(count.sectors, count.ideal_sectors) << line.first;
        EXPECT_LE(count.worst_degree, 1u) << line.first;
    }
    EXPECT_EQ(counters.operations("sync_block"), kRows * 1u);
    EXPECT_EQ(counters.operations("shuffle"), kRows * 2 * 5u);
}

}  // namespace
}  // namespace hearth::simt
