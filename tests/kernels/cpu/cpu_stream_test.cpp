#include "kernels/cpu/cpu_stream.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"
#include "kernels/scratch.h"

namespace hearth {
namespace {

Device device_of(int threads) {
    Device device;
    device.threads = threads;
    return device;
}

TEST(CpuStream, ScratchIsAlignedAndComesBack) {
    const Device device = device_of(2);
    CpuStream stream(device);
    stream.reserve(1000);
    std::byte* first = nullptr;
    {
        Scratch outer(stream);
        auto* a = outer.take<char>(1);
        first = reinterpret_cast<std::byte*>(a);
        auto* b = outer.take<double>(3);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(a) % kScratchAlignment, 0u);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(b) % kScratchAlignment, 0u);
        EXPECT_EQ(reinterpret_cast<std::byte*>(b) - first, 64);
        {
            Scratch inner(stream);
            EXPECT_EQ(reinterpret_cast<std::byte*>(inner.take<float>(200)) - first, 128);
        }
        EXPECT_EQ(stream.mark(), 128u);
    }
    EXPECT_EQ(stream.mark(), 0u);
    stream.reserve(10);  // never shrinks
    Scratch again(stream);
    EXPECT_EQ(reinterpret_cast<std::byte*>(again.take<char>(1000)), first);
}

TEST(CpuStreamDeathTest, TakingMoreThanReservedIsAnInternalError) {
    const Device device = device_of(1);
    CpuStream stream(device);
    stream.reserve(128);
    EXPECT_DEATH(stream.take(129), "");
}

TEST(CpuStream, ParallelForDoesEachTaskOnce) {
    for (const int threads : {1, 2, 5}) {
        const Device device = device_of(threads);
        CpuStream stream(device);
        for (const int64_t count : {0, 1, 3, 1000}) {
            std::vector<std::atomic<int>> done(static_cast<size_t>(count));
            stream.parallel_for(count, [&](int64_t i) { ++done[static_cast<size_t>(i)]; });
            for (const auto& times : done) ASSERT_EQ(times, 1);
        }
    }
}

TEST(CpuStream, ParallelForThrowsWhatATaskThrowsAndGoesOnWorking) {
    const Device device = device_of(3);
    CpuStream stream(device);
    const auto bad = [](int64_t i) {
        if (i == 17) throw Error(ErrorKind::kBadInput, "the seventeenth");
    };
    EXPECT_THROW(stream.parallel_for(100, bad), Error);
    std::atomic<int> done{0};
    stream.parallel_for(50, [&](int64_t) { ++done; });
    EXPECT_EQ(done, 50);
}

TEST(CpuStream, SharesRangesThatCoverEverything) {
    for (const int threads : {1, 3}) {
        const Device device = device_of(threads);
        CpuStream stream(device);
        for (const int64_t count : {1, 2, 100}) {
            for (const int64_t steps : {1, 1000000}) {
                std::vector<std::atomic<int>> done(static_cast<size_t>(count));
                share(stream, count, steps, [&](Range range) {
                    for (int64_t i = range.begin; i < range.end; ++i) ++done[static_cast<size_t>(i)];
                });
                for (const auto& times : done) ASSERT_EQ(times, 1);
            }
        }
    }
}

}  // namespace
}  // namespace hearth
