#include "kernels/cpu/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <numeric>

#include "base/error.h"
#include "kernels/make_backend.h"

namespace hearth {
namespace {

TEST(ThreadPool, RunsOnceOnEveryThreadAtEveryCall) {
    for (const int threads : {1, 2, 3, 8}) {
        ThreadPool pool(threads);
        std::vector<int> calls(static_cast<size_t>(threads), 0);
        for (int i = 1; i <= 500; ++i) {
            pool.run([&](int thread) { ++calls[static_cast<size_t>(thread)]; });
            ASSERT_EQ(calls, std::vector<int>(static_cast<size_t>(threads), i)) << threads << " threads";
        }
    }
}

TEST(ThreadPool, OneCallSeesWhatTheCallBeforeWrote) {
    constexpr int kThreads = 4;
    ThreadPool pool(kThreads);
    std::vector<int64_t> now(kThreads, 1), next(kThreads);
    for (int round = 0; round < 2000; ++round) {
        pool.run([&](int thread) {
            next[static_cast<size_t>(thread)] = (std::accumulate(now.begin(), now.end(), int64_t{0}) + thread) % 1000003;
        });
        pool.run([&](int thread) { now[static_cast<size_t>(thread)] = next[static_cast<size_t>((thread + 1) % kThreads)]; });
    }
    std::vector<int64_t> want(kThreads, 1);
    for (int round = 0; round < 2000; ++round) {
        const int64_t sum = std::accumulate(want.begin(), want.end(), int64_t{0});
        for (int i = 0; i < kThreads; ++i) want[static_cast<size_t>(i)] = (sum + (i + 1) % kThreads) % 1000003;
    }
    EXPECT_EQ(now, want);
}

TEST(ThreadPool, WorksWithFarMoreThreadsThanCores) {
    ThreadPool pool(64);
    std::atomic<int64_t> sum{0};
    for (int i = 0; i < 20; ++i) pool.run([&](int thread) { sum += thread; });
    EXPECT_EQ(sum, 20 * 64 * 63 / 2);
}

/// Bytes of address space that this process has.
uint64_t address_space() {
    std::ifstream file("/proc/self/statm");
    uint64_t pages = 0;
    file >> pages;
    return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST(ThreadPool, ThreadsThatCannotBeMadeAreAnError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer takes address space of its own";
#endif
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
    rlimit tight = before;
    tight.rlim_cur = address_space() + (uint64_t{256} << 20);  // the stacks of a few dozen threads
    ASSERT_EQ(::setrlimit(RLIMIT_AS, &tight), 0);
    try {
        ThreadPool pool(kMaxThreads);
        ADD_FAILURE() << "a thousand threads in 256 MiB";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::kNoResources);
        EXPECT_NE(std::string(e.what()).find("of 1023"), std::string::npos) << e.what();
    }
    ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
    ThreadPool pool(4);
    std::atomic<int> calls{0};
    pool.run([&](int) { ++calls; });
    EXPECT_EQ(calls, 4);
}

TEST(ThreadPool, WakesUpAfterSleeping) {
    ThreadPool pool(3);
    std::atomic<int> calls{0};
    for (int i = 0; i < 5; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(3));  // long after its patience has ended
        pool.run([&](int) { ++calls; });
    }
    EXPECT_EQ(calls, 15);
}

TEST(ThreadPool, TakesNextToNoTimeWhileIdle) {
    ThreadPool pool(4);
    pool.run([](int) {});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::clock_t before = std::clock();  // of the whole process
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const double used = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    EXPECT_LT(used, 0.1) << "a pool that spins would have used 0.9 s";
}

TEST(ThreadPool, TwoPoolsDoNotDisturbEachOther) {
    std::vector<std::thread> users;
    std::array<int64_t, 2> sums{};
    for (size_t user = 0; user < 2; ++user) {
        users.emplace_back([&, user] {
            ThreadPool pool(2);
            std::array<int64_t, 2> part{};
            for (int i = 0; i < 1000; ++i) pool.run([&](int thread) { part[static_cast<size_t>(thread)] += i; });
            sums[user] = part[0] + part[1];
        });
    }
    for (auto& user : users) user.join();
    EXPECT_EQ(sums[0], 2 * 999 * 1000 / 2);
    EXPECT_EQ(sums[1], sums[0]);
}

TEST(ThreadPool, DealsEverythingOnceWhateverThePiecesAndTheThreads) {
    for (const int threads : {1, 2, 3, 8}) {
        ThreadPool pool(threads);
        for (const int64_t count : {0, 1, 2, 7, 64, 1001}) {
            for (const int64_t piece : {1, 2, 5, 2000}) {
                std::vector<std::atomic<int>> taken(static_cast<size_t>(count));
                std::atomic<int> calls{0};
                pool.run_pieces(count, piece, [&](int, auto&& next) {
                    ++calls;
                    for (Range range = next(); range.size() > 0; range = next()) {
                        EXPECT_LE(range.size(), piece);
                        for (int64_t i = range.begin; i < range.end; ++i) ++taken[static_cast<size_t>(i)];
                    }
                    EXPECT_EQ(next().size(), 0);  // and stays so
                });
                EXPECT_EQ(calls, threads);
                for (const auto& times : taken) ASSERT_EQ(times, 1) << count << " in pieces of " << piece << ", " << threads << " threads";
            }
        }
    }
}

TEST(ThreadPool, AThreadThatIsHeldUpLeavesItsPiecesToTheOthers) {
    constexpr int64_t kCount = 100;
    ThreadPool pool(2);
    std::atomic<int64_t> done{0};
    pool.run_pieces(kCount, 1, [&](int thread, auto&& next) {
        if (thread == 1) {
            while (done < kCount) std::this_thread::yield();  // until all is done without it
            EXPECT_EQ(next().size(), 0);
            return;
        }
        while (next().size() > 0) ++done;
    });
    EXPECT_EQ(done, kCount);
}

// The caches alone may see what is fetched: memory that has gone, or never was, is no error.
TEST(ThreadPool, FetchesWhateverAddressesWithoutReadingThem) {
    ThreadPool pool(3);
    std::atomic<int> calls{0};
    for (const uintptr_t base : {uintptr_t{0}, uintptr_t{64}, ~uintptr_t{0} << 12, uintptr_t{1} << 50}) {
        const auto* memory = reinterpret_cast<const std::byte*>(base);
        pool.fetch_while_waiting([&](int) { return Upcoming{{memory, nullptr}, 1 << 20}; });
        for (int i = 0; i < 20; ++i) {
            pool.run([&](int thread) {
                if (thread == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));  // the others have time to fetch
                ++calls;
            });
        }
    }
    EXPECT_EQ(calls, 4 * 20 * 3);
}

TEST(ThreadPool, PartsCoverEverythingOnce) {
    for (const int64_t count : {0, 1, 2, 7, 16, 1000}) {
        for (const int64_t parts : {1, 2, 3, 16, 33}) {
            int64_t next = 0;
            for (int64_t part = 0; part < parts; ++part) {
                const Range range = part_of(count, part, parts);
                ASSERT_EQ(range.begin, next);
                ASSERT_GE(range.size(), count / parts);
                ASSERT_LE(range.size(), count / parts + 1);
                next = range.end;
            }
            ASSERT_EQ(next, count);
        }
    }
}

}  // namespace
}  // namespace hearth
