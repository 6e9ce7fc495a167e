#include "kernels/cpu/thread_pool.h"

#include <chrono>

#include "base/error.h"
#include "base/start_thread.h"
#include "base/text.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hearth {
namespace {

void relax() {
#if defined(__x86_64__)
    _mm_pause();
#else
    std::this_thread::yield();
#endif
}

/// What a thread fetches while it waits, and how far it is.
class Fetcher {
public:
    /// Starts over where that is something new. Only during a call: the caller may change it between calls.
    void set(const Upcoming& upcoming) {
        if (upcoming == upcoming_) return;
        upcoming_ = upcoming;
        done_ = 0;
    }

    /// A line of each place; false when there are no more.
    bool fetch() {
        constexpr int64_t kLine = 64;
        if (done_ >= upcoming_.bytes) return false;
        for (const std::byte* from : upcoming_.from) {
            if (from == nullptr) continue;
            const auto address = reinterpret_cast<uintptr_t>(from) + static_cast<uintptr_t>(done_);  // any number: nothing is read there
            __builtin_prefetch(reinterpret_cast<const void*>(address), 0, 2);                        // into L2
        }
        done_ += kLine;
        return true;
    }

private:
    Upcoming upcoming_;
    int64_t done_ = 0;
};

/// Waits until `value` is not `old`: some microseconds with its eyes open, then asleep.
void wait_while(const std::atomic<uint32_t>& value, uint32_t old, Fetcher& fetcher) {
    using Clock = std::chrono::steady_clock;
    constexpr auto kPatience = std::chrono::microseconds(60);
    constexpr int kLooksPerClock = 16;  // reading the clock costs about as much as a look
    const auto start = Clock::now();
    do {
        for (int i = 0; i < kLooksPerClock; ++i) {
            if (value.load(std::memory_order_acquire) != old) return;
            if (!fetcher.fetch()) relax();
        }
    } while (Clock::now() - start < kPatience);
    value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) : threads_(threads), dealt_(static_cast<size_t>(std::max(threads, 1))), upcoming_(dealt_.size()) {
    HEARTH_CHECK(threads >= 1);
    workers_.reserve(static_cast<size_t>(threads - 1));
    try {
        for (int i = 1; i < threads; ++i) workers_.push_back(start_thread(cat("worker ", i, " of ", threads - 1), [this, i] { work(i); }));
    } catch (...) {
        end_workers();  // those that were made; a thread that nobody joins would end the program
        throw;
    }
}

ThreadPool::~ThreadPool() { end_workers(); }

void ThreadPool::end_workers() {
    stop_.store(true, std::memory_order_relaxed);
    epoch_.fetch_add(1, std::memory_order_release);
    epoch_.notify_all();
    for (auto& worker : workers_) worker.join();
}

void ThreadPool::run_task(Task task, void* context) noexcept {
    if (threads_ > 1) {
        task_ = task;
        context_ = context;
        working_.store(static_cast<uint32_t>(threads_ - 1), std::memory_order_relaxed);
        epoch_.fetch_add(1, std::memory_order_release);
        epoch_.notify_all();  // no system call while nobody sleeps
    }
    task(context, 0);
    if (threads_ == 1) return;
    Fetcher fetcher;
    fetcher.set(upcoming_[0]);
    for (uint32_t left = working_.load(std::memory_order_acquire); left != 0; left = working_.load(std::memory_order_acquire))
        wait_while(working_, left, fetcher);
}

void ThreadPool::work(int thread) noexcept {
    Fetcher fetcher;
    for (uint32_t seen = 0;; ++seen) {
        wait_while(epoch_, seen, fetcher);  // one call at a time: the epoch is never more than one ahead
        if (stop_.load(std::memory_order_relaxed)) return;
        task_(context_, thread);
        fetcher.set(upcoming_[static_cast<size_t>(thread)]);
        if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) working_.notify_one();
    }
}

}  // namespace hearth
