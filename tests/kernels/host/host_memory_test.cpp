#include "kernels/host/host_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "base/error.h"

namespace hearth {
namespace {

constexpr int64_t kPage = 4096;

/// Pages of [data, data + bytes), which begins a page, that take memory.
int64_t resident_pages(std::byte* data, int64_t bytes) {
    std::vector<unsigned char> pages(static_cast<size_t>((bytes + kPage - 1) / kPage));
    EXPECT_EQ(mincore(data, static_cast<size_t>(bytes), pages.data()), 0);
    return std::ranges::count_if(pages, [](unsigned char page) { return (page & 1) != 0; });
}

bool all_zero(const std::byte* data, int64_t bytes) {
    return std::all_of(data, data + bytes, [](std::byte b) { return b == std::byte{0}; });
}

TEST(HostMemory, IsZeroAlignedAndOnesOwnWhateverTheSize) {
    std::vector<std::pair<std::shared_ptr<std::byte>, int64_t>> held;
    int fill = 1;
    for (const int64_t bytes : {0L, 1L, 63L, 64L, 65L, 4096L, 5000L, 3L << 20, 127L << 20, 128L << 20, 129L << 20, 130L << 20, 7L}) {
        auto memory = allocate_host(bytes);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.get()) % 64, 0U) << bytes;
        EXPECT_TRUE(all_zero(memory.get(), std::min<int64_t>(bytes, 1 << 20))) << bytes;
        EXPECT_TRUE(bytes == 0 || memory.get()[bytes - 1] == std::byte{0}) << bytes;
        std::memset(memory.get(), fill++, static_cast<size_t>(std::min<int64_t>(bytes, 1 << 20)));
        if (bytes > 0) memory.get()[bytes - 1] = memory.get()[0];
        held.emplace_back(std::move(memory), bytes);
    }
    fill = 1;
    for (const auto& [memory, bytes] : held) {
        if (bytes > 0) {
            EXPECT_EQ(memory.get()[0], std::byte(fill)) << bytes;
            EXPECT_EQ(memory.get()[bytes - 1], std::byte(fill)) << bytes;
        }
        ++fill;
    }
}

TEST(HostMemory, GoesBackToTheSystemWhileItsNeighboursStay) {
    constexpr int64_t kBytes = 4 << 20;
    auto before = allocate_host(kBytes), middle = allocate_host(kBytes), after = allocate_host(kBytes);
    for (auto* memory : {&before, &middle, &after}) std::memset(memory->get(), 7, kBytes);
    auto* page = reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(middle.get()) + kPage - 1) / kPage * kPage);
    constexpr int64_t kWhole = kBytes - kPage;  // pages of `middle` alone
    EXPECT_EQ(resident_pages(page, kWhole), kWhole / kPage);
    middle.reset();
    EXPECT_EQ(resident_pages(page, kWhole), 0);
    for (const auto* memory : {&before, &after}) {
        EXPECT_TRUE(std::all_of(memory->get(), memory->get() + kBytes, [](std::byte b) { return b == std::byte{7}; }));
    }
    EXPECT_TRUE(all_zero(allocate_host(kBytes).get(), kBytes));
}

TEST(HostMemory, IsTakenAndGivenBackByManyThreads) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([t] {
            for (int i = 0; i < 200; ++i) {
                const int64_t bytes = 100 + 5000 * (i % 7);
                auto memory = allocate_host(bytes);
                EXPECT_TRUE(all_zero(memory.get(), bytes));
                std::memset(memory.get(), t + 1, static_cast<size_t>(bytes));
            }
        });
    }
    for (auto& thread : threads) thread.join();
}

TEST(HostMemory, NamesTheSizeThatTheSystemRefuses) {
    try {
        allocate_host(int64_t{1} << 56);
        FAIL() << "64 PiB were granted";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kNoResources);
        EXPECT_NE(std::string(error.what()).find("no memory for"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace hearth
