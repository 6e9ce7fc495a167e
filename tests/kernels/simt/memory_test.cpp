// Planted errors of addresses, each with a twin that is right.
#include <cmath>
#include <numeric>
#include <type_traits>

#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

struct CopyArgs {
    GlobalPtr<const float> x;
    GlobalPtr<float> y;
    int n;
    int planted;
};

int line_of_bug = 0;  // the kernels below set it beside the planted bug

void copy_scalar(CopyArgs a) {
    const int i = static_cast<int>(block_x() * block_dim_x() + thread_x());
    line_of_bug = __LINE__ + 1;
    if (i < a.n + a.planted) a.y.store(i, a.x[i]);
}

template <class Kernel>
void run_copy(Emulator& gpu, Kernel* kernel, int planted, int n = 100) {
    std::vector<float> x(static_cast<size_t>(n));
    std::iota(x.begin(), x.end(), 1.0f);
    auto in = gpu.upload<float>("x", x);
    auto out = gpu.allocate<float>("y", static_cast<size_t>(n));
    gpu.launch({.name = "copy", .grid = {2}, .block = {64}}, kernel, CopyArgs{in, out, n, planted});
    gpu.synchronize();
    if (planted == 0) {
        EXPECT_CLEAN(gpu);
        EXPECT_EQ(gpu.download(out, x.size()), x);
    }
}

TEST(SimtMemory, AScalarAccessPastTheEndIsFound) {
    for (Schedule schedule : {Schedule::kForward, Schedule::kReverse, Schedule::kRandom}) {
        Emulator gpu({.schedule = schedule}), clean({.schedule = schedule});
        run_copy(gpu, copy_scalar, 1);
        EXPECT_FOUND(gpu, Kind::kOutOfBounds, "copy", line_of_bug);
        EXPECT_EQ(gpu.report().find(Kind::kOutOfBounds)->block.x, 1u);
        EXPECT_EQ(gpu.report().find(Kind::kOutOfBounds)->thread, 36u);
        run_copy(clean, copy_scalar, 0);
    }
}

void copy_vector(CopyArgs a) {
    const int i = static_cast<int>(block_x() * block_dim_x() + thread_x()) * 4;
    if (i >= a.n) return;
    line_of_bug = __LINE__ + 1;
    const Vec<float, 4> v = a.x.load_vector<4>(i + a.planted);
    a.y.store_vector(i, v);
}

TEST(SimtMemory, AMisalignedVectorLoadIsFound) {
    Emulator gpu, clean;
    run_copy(gpu, copy_vector, 1);
    EXPECT_FOUND(gpu, Kind::kMisaligned, "copy", line_of_bug);
    run_copy(clean, copy_vector, 0);
}

TEST(SimtMemory, AVectorLoadPastTheEndIsFound) {
    Emulator gpu;
    run_copy(gpu, copy_vector, 4);
    EXPECT_FOUND(gpu, Kind::kOutOfBounds, "copy", line_of_bug);
    Emulator before;
    run_copy(before, copy_vector, -4);
    EXPECT_FOUND(before, Kind::kOutOfBounds, "copy", line_of_bug);
}

void reverse_in_shared(CopyArgs a) {
    SharedArena arena;
    auto tile = arena.take<float>(64);
    const int t = static_cast<int>(thread_x());
    if (t >= a.planted) tile.store(t, a.x[t]);
    sync_block();
    line_of_bug = __LINE__ + 1;
    a.y.store(t, tile[63 - t]);
}

void run_reverse(Emulator& gpu, int planted) {
    std::vector<float> x(64), expected(64);
    std::iota(x.begin(), x.end(), 1.0f);
    std::copy(x.rbegin(), x.rend(), expected.begin());
    auto in = gpu.upload<float>("x", x);
    auto out = gpu.allocate<float>("y", 64);
    gpu.launch({.name = "reverse", .block = {64}, .shared_bytes = 256}, reverse_in_shared, CopyArgs{in, out, 64, planted});
    gpu.synchronize();
    const auto y = gpu.download(out, 64);
    if (planted == 0) {
        EXPECT_CLEAN(gpu);
        EXPECT_EQ(y, expected);
    } else {
        EXPECT_TRUE(std::isnan(y[63]));  // shared memory starts as NaN
    }
}

TEST(SimtMemory, AReadOfUnwrittenSharedMemoryIsFoundAndGivesNaN) {
    Emulator gpu, clean;
    run_reverse(gpu, 1);
    EXPECT_FOUND(gpu, Kind::kUninitialised, "reverse", line_of_bug);
    EXPECT_EQ(gpu.report().find(Kind::kUninitialised)->thread, 63u);
    run_reverse(clean, 0);
}

void read_output(CopyArgs a) {
    line_of_bug = __LINE__ + 1;
    const float v = a.y[thread_x()];
    a.y.store(thread_x(), v);
}

TEST(SimtMemory, AReadOfUnwrittenGlobalMemoryIsFound) {
    Emulator gpu;
    auto out = gpu.allocate<float>("y", 32);
    gpu.launch({.name = "read", .block = {32}}, read_output, CopyArgs{{}, out, 32, 0});
    gpu.synchronize();
    EXPECT_FOUND(gpu, Kind::kUninitialised, "read", line_of_bug);
}

void take_too_much(CopyArgs a) {
    SharedArena arena;
    line_of_bug = __LINE__ + 1;
    auto tile = arena.take<float>(64 + a.planted);
    tile.store(thread_x(), 0.0f);
}

TEST(SimtMemory, MoreSharedMemoryThanLaunchedWithIsFound) {
    Emulator gpu, clean;
    gpu.launch({.name = "take", .shared_bytes = 256}, take_too_much, CopyArgs{{}, {}, 0, 1});
    gpu.synchronize();
    EXPECT_FOUND(gpu, Kind::kBadShared, "take", line_of_bug);
    clean.launch({.name = "take", .shared_bytes = 256}, take_too_much, CopyArgs{{}, {}, 0, 0});
    clean.synchronize();
    EXPECT_CLEAN(clean);
}

void through_null(CopyArgs a) {
    line_of_bug = __LINE__ + 1;
    a.y.store(0, 1.0f);
}

TEST(SimtMemory, AStoreThroughNullIsFound) {
    Emulator gpu;
    gpu.launch({.name = "null"}, through_null, CopyArgs{{}, {}, 0, 0});
    gpu.synchronize();
    EXPECT_FOUND(gpu, Kind::kOutOfBounds, "null", line_of_bug);
}

template <class P>
concept Dereferences = requires(P p) {
    *p;
}
|| requires(P p) { p[0] = 1.0f; }
|| requires(P p) { static_cast<float*>(p); };
template <class P>
concept Stores = requires(P p) {
    p.store(0, 1.0f);
};

TEST(SimtMemory, DevicePointersGiveNoReferences) {
    static_assert(!Dereferences<GlobalPtr<float>> && !Dereferences<SharedPtr<float>>);
    static_assert(Dereferences<float*>);
    static_assert(Stores<GlobalPtr<float>>);
    static_assert(!std::is_convertible_v<GlobalPtr<const float>, GlobalPtr<float>> &&
                  std::is_convertible_v<GlobalPtr<float>, GlobalPtr<const float>>);
    static_assert(!std::is_convertible_v<GlobalPtr<float>, SharedPtr<float>>);
}

}  // namespace
}  // namespace hearth::simt
