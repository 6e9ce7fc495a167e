// Races, each beside a twin that differs by the operation that orders. None of the racing kernels gives a wrong result when the emulator
// runs it: the criterion finds them, not luck.
#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

int line_of_bug = 0;

enum class Order { kBlock, kWarp, kShuffle, kVote, kNothing };

struct ExchangeArgs {
    GlobalPtr<float> y;
    Order order;
    int distance;  // to the thread whose value is read
};

void exchange(ExchangeArgs a) {
    SharedArena arena;
    auto tile = arena.take<float>(64);
    const int t = static_cast<int>(thread_x());
    tile.store(t, static_cast<float>(t));
    if (a.order == Order::kBlock) sync_block();
    if (a.order == Order::kWarp) sync_warp();
    if (a.order == Order::kShuffle) (void)shuffle_xor(t, 1);
    if (a.order == Order::kVote) (void)ballot(true);
    line_of_bug = __LINE__ + 1;
    a.y.store(t, tile[t ^ a.distance]);
}

Report exchanged(Order order, int distance) {
    Emulator gpu({.races = true});
    auto y = gpu.allocate<float>("y", 64);
    gpu.launch({.name = "exchange", .block = {64}, .shared_bytes = 256}, exchange, ExchangeArgs{y, order, distance});
    gpu.synchronize();
    return gpu.report();
}

TEST(SimtRace, NothingButABarrierOrdersAWarp) {
    EXPECT_FOUND(exchanged(Order::kShuffle, 1), Kind::kRace, "exchange", line_of_bug);
    EXPECT_FOUND(exchanged(Order::kVote, 1), Kind::kRace, "exchange", line_of_bug);
    EXPECT_CLEAN(exchanged(Order::kWarp, 1));
    EXPECT_CLEAN(exchanged(Order::kBlock, 1));
}

TEST(SimtRace, ABarrierOfTheWarpOrdersNoOtherWarp) {
    EXPECT_NE(exchanged(Order::kWarp, 32).find(Kind::kRace), nullptr);
    EXPECT_CLEAN(exchanged(Order::kBlock, 32));
}

struct BytesArgs {
    GlobalPtr<uint16_t> y;
    int stride;
};

void neighbours(BytesArgs a) {
    line_of_bug = __LINE__ + 1;
    a.y.store(static_cast<int>(thread_x()) * a.stride, static_cast<uint16_t>(1));
}

TEST(SimtRace, NeighboursOfOneWordDoNotRaceButTheSameBytesDo) {
    Emulator gpu({.races = true}), clean({.races = true});
    auto y = gpu.allocate<uint16_t>("y", 32);
    gpu.launch({.name = "neighbours"}, neighbours, BytesArgs{y, 0});
    gpu.synchronize();
    EXPECT_FOUND(gpu, Kind::kRace, "neighbours", line_of_bug);
    auto z = clean.allocate<uint16_t>("z", 32);
    clean.launch({.name = "neighbours"}, neighbours, BytesArgs{z, 1});
    clean.synchronize();
    EXPECT_CLEAN(clean);
}

void vector_over_scalar(GlobalPtr<float> y, int barrier_between) {
    const int t = static_cast<int>(thread_x());
    if (t < 4) y.store(t, 1.0f);
    if (barrier_between) sync_block();
    line_of_bug = __LINE__ + 1;
    if (t == 31) y.store_vector(0, Vec<float, 4>{{2, 2, 2, 2}});
}

TEST(SimtRace, AVectorStoreOverScalarsOfOthers) {
    Emulator gpu({.races = true}), clean({.races = true});
    auto y = gpu.allocate<float>("y", 4);
    gpu.launch({.name = "vector"}, vector_over_scalar, y, 0);
    gpu.synchronize();
    EXPECT_FOUND(gpu, Kind::kRace, "vector", line_of_bug);
    auto z = clean.allocate<float>("z", 4);
    clean.launch({.name = "vector"}, vector_over_scalar, z, 1);
    clean.synchronize();
    EXPECT_CLEAN(clean);
}

struct SplitArgs {
    GlobalPtr<float> partial;  // [blocks]
    GlobalPtr<unsigned> ticket;
    GlobalPtr<float> y;
    int acquires, barriers;
};

/// The last block to arrive sums what all blocks wrote, in order.
void split_sum(SplitArgs a) {
    SharedArena arena;
    auto last = arena.take<int>(1);
    const int t = static_cast<int>(thread_x()), b = static_cast<int>(block_x()), blocks = static_cast<int>(grid_dim_x());
    a.partial.store(b * 32 + t, static_cast<float>(b + t));
    if (a.barriers) sync_block();
    if (t == 0) {
        const unsigned before = a.acquires ? atomic_add_acq_rel(a.ticket, 0, 1u) : atomic_add(a.ticket, 0, 1u);
        last.store(0, before + 1 == grid_dim_x());
    }
    sync_block();
    if (last[0] == 0) return;
    float sum = 0;
    line_of_bug = __LINE__ + 1;
    for (int other = 0; other < blocks; ++other) sum += a.partial[other * 32 + t];
    a.y.store(t, sum);
}

void run_split(Emulator& gpu, int acquires, int barriers) {
    auto partial = gpu.allocate<float>("partial", 128);
    auto ticket = gpu.upload<unsigned>("ticket", std::vector<unsigned>{0});
    auto y = gpu.allocate<float>("y", 32);
    gpu.launch({.name = "split", .grid = {4}, .shared_bytes = 16}, split_sum, SplitArgs{partial, ticket, y, acquires, barriers});
    gpu.synchronize();
    EXPECT_EQ(gpu.download(y, 2)[1], 10.0f);
}

TEST(SimtRace, BlocksAreOrderedByAnAcquireReleaseCounterAlone) {
    Emulator relaxed({.races = true}), without_barrier({.races = true});
    run_split(relaxed, 0, 1);
    EXPECT_FOUND(relaxed, Kind::kRace, "split", line_of_bug);
    run_split(without_barrier, 1, 0);  // the elected thread releases its own stores only
    EXPECT_FOUND(without_barrier, Kind::kRace, "split", line_of_bug);
    EXPECT_CLEAN(check_everywhere([](Emulator& gpu) { run_split(gpu, 1, 1); }));
}

void two_blocks(GlobalPtr<int> y, int apart) {
    line_of_bug = __LINE__ + 1;
    y.store(static_cast<int>(block_x()) * apart, 7);
}

TEST(SimtRace, TwoBlocksAreAlwaysConcurrent) {
    Emulator gpu({.races = true}), clean({.races = true});
    auto y = gpu.allocate<int>("y", 2);
    gpu.launch({.name = "blocks", .grid = {2}, .block = {1}}, two_blocks, y, 0);
    gpu.synchronize();
    EXPECT_FOUND(gpu, Kind::kRace, "blocks", line_of_bug);
    auto z = clean.allocate<int>("z", 2);
    clean.launch({.name = "blocks", .grid = {2}, .block = {1}}, two_blocks, z, 1);
    clean.launch({.name = "blocks", .grid = {1}, .block = {1}}, two_blocks, z, 1);  // two launches of a stream are ordered
    clean.synchronize();
    EXPECT_CLEAN(clean);
}

void mixed_atomic(GlobalPtr<int> y, int plain) {
    line_of_bug = __LINE__ + 2;
    if (plain && thread_x() == 5) {
        y.store(0, 1);
    } else {
        atomic_add(y, 0, 1);
    }
}

TEST(SimtRace, AtomicsRaceWithPlainStoresAndNotWithEachOther) {
    Emulator gpu({.races = true}), clean({.races = true});
    auto y = gpu.upload<int>("y", std::vector<int>{0});
    gpu.launch({.name = "mixed"}, mixed_atomic, y, 1);
    gpu.synchronize();
    EXPECT_NE(gpu.report().find(Kind::kRace), nullptr);
    auto z = clean.upload<int>("z", std::vector<int>{0});
    clean.launch({.name = "mixed"}, mixed_atomic, z, 0);
    clean.synchronize();
    EXPECT_CLEAN(clean);
    EXPECT_EQ(clean.download(z, 1)[0], 32);
}

struct ChainArgs {
    GlobalPtr<float> sum;
    GlobalPtr<unsigned> turn;
    int in_order;
};

/// Each block adds its share to one sum: in the order of blocks, or of arrival.
void sum_in_turn(ChainArgs a) {
    if (a.in_order) wait_at_least(a.turn, 0, block_x());
    const float before = load_acquire(a.turn) == 0 ? 0.0f : a.sum[0];
    line_of_bug = __LINE__ + 1;
    a.sum.store(0, before + (block_x() == 0 ? 1e8f : block_x() == 1 ? -1e8f : 1.0f));
    atomic_add_acq_rel(a.turn, 0, 1u);
}

void run_turns(Emulator& gpu, int in_order) {
    auto sum = gpu.allocate<float>("sum", 1);
    auto turn = gpu.upload<unsigned>("turn", std::vector<unsigned>{0});
    gpu.launch({.name = "turns", .grid = {3}, .block = {1}}, sum_in_turn, ChainArgs{sum, turn, in_order});
    gpu.synchronize();
}

TEST(SimtRace, AFloatSumInTheOrderOfArrivalDependsOnTheSchedule) {
    const Report report = check_everywhere([](Emulator& gpu) { run_turns(gpu, 0); });
    EXPECT_FOUND(report, Kind::kScheduleDependent, "turns", line_of_bug);
    EXPECT_CLEAN(check_everywhere([](Emulator& gpu) { run_turns(gpu, 1); }));
}

template <class T>
concept AddsAtomically = requires(GlobalPtr<T> p) {
    atomic_add(p, 0, T{});
};

TEST(SimtRace, FloatsHaveNoAtomicSums) {
    static_assert(AddsAtomically<int> && AddsAtomically<unsigned long long>);
    static_assert(!AddsAtomically<float> && !AddsAtomically<double> && !AddsAtomically<short>);
}

void never_comes(GlobalPtr<unsigned> turn) {
    line_of_bug = __LINE__ + 1;
    wait_at_least(turn, 0, 9u);
}

TEST(SimtRace, ACounterThatNobodyRaisesIsADeadlock) {
    Emulator gpu;
    auto turn = gpu.upload<unsigned>("turn", std::vector<unsigned>{0});
    gpu.launch({.name = "never", .grid = {2}, .block = {1}}, never_comes, turn);
    gpu.synchronize();
    EXPECT_FOUND(gpu, Kind::kDeadlock, "never", line_of_bug);
}

}  // namespace
}  // namespace hearth::simt
