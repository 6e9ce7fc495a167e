// Sectors, bytes of a buffer, bank conflicts and operations of kernels whose numbers are known.
#include "kernels/simt/emulator/checks/counters.h"

#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

int line_of_load = 0, line_of_shared = 0;

struct ReadArgs {
    GlobalPtr<const float> x;
    GlobalPtr<float> y;
    int stride;
};

void read_strided(ReadArgs a) {
    SharedArena arena;
    auto tile = arena.take<float>(32 * 33);
    const int t = static_cast<int>(thread_x());
    for (int i = 0; i < 4; ++i) {
        line_of_load = __LINE__ + 1;
        const float v = a.x[(i * 32 + t) * a.stride];
        line_of_shared = __LINE__ + 1;
        tile.store(t * (a.stride == 1 ? 33 : 32), v);
    }
    sync_block();
    a.y.store(t, shuffle_xor(tile[t * (a.stride == 1 ? 33 : 32)], 1));
}

void run_strided(Emulator& gpu, GlobalPtr<const float> x, int stride) {
    auto y = gpu.allocate<float>("y", 32);
    gpu.launch({.name = "read", .shared_bytes = 32 * 33 * 4}, read_strided, ReadArgs{x, y, stride});
    gpu.synchronize();
    EXPECT_CLEAN(gpu);
}

TEST(SimtCounters, SectorsBanksAndOperations) {
    for (int stride : {1, 8}) {
        Emulator gpu({.counters = true});
        GlobalPtr<const float> x = gpu.upload<float>("x", std::vector<float>(1024, 1.0f));
        run_strided(gpu, x, stride);
        const Counters& counters = *gpu.machine().counters();
        const LineCount& load = counters.line(line_of_load, true);
        EXPECT_EQ(load.requests, 4u);
        EXPECT_EQ(load.bytes, 512u);
        EXPECT_EQ(load.ideal_sectors, 16u);
        EXPECT_EQ(load.sectors, stride == 1 ? 16u : 128u);  // 32 bytes apart: a sector for each lane
        const LineCount& shared = counters.line(line_of_shared, false);
        EXPECT_EQ(shared.worst_degree, stride == 1 ? 1u : 32u);  // 33 words a row spread over all banks, 32 words hit one
        EXPECT_EQ(shared.passes, stride == 1 ? 4u : 128u);
        EXPECT_EQ(shared.ideal_passes, 4u);
        EXPECT_EQ(counters.operations("shuffle"), 1u);
        EXPECT_EQ(counters.operations("sync_block"), 1u);
        const ReadCounts& reads = *x.region()->reads;
        EXPECT_EQ(reads.most(), 1u);
        EXPECT_EQ(reads.least(), 0u);  // only a part of x is read
        EXPECT_EQ(reads.bytes, 512u);
    }
}

TEST(SimtCounters, AWeightReadTwiceShows) {
    Emulator gpu({.counters = true});
    GlobalPtr<const float> x = gpu.upload<float>("x", std::vector<float>(128, 1.0f));
    run_strided(gpu, x, 1);
    EXPECT_EQ(x.region()->reads->least(), 1u);
    EXPECT_EQ(x.region()->reads->most(), 1u);
    run_strided(gpu, x, 1);
    EXPECT_EQ(x.region()->reads->most(), 2u);
}

TEST(SimtCounters, VectorsAndBroadcastsDoNotConflict) {
    std::vector<std::pair<uintptr_t, unsigned>> row, same, column;
    for (unsigned l = 0; l < 32; ++l) {
        row.emplace_back(l * 16, l);
        same.emplace_back(64, l);
        column.emplace_back(l * 128, l);
    }
    EXPECT_EQ(bank_passes(row, 16), (std::pair{4u, 1u}));      // 512 bytes
    EXPECT_EQ(bank_passes(same, 4), (std::pair{1u, 1u}));      // one word for all
    EXPECT_EQ(bank_passes(column, 16), (std::pair{32u, 8u}));  // eight lanes of a group in the same four banks
}

}  // namespace
}  // namespace hearth::simt
