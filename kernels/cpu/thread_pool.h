// A pool of threads that work in lockstep: one call runs one function on all of them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace hearth {

/// A range of whole numbers.
struct Range {
    int64_t begin = 0, end = 0;
    int64_t size() const { return end - begin; }
};

/// Part `part` of `parts` equal contiguous parts of [0, count): the same split whenever it is asked for.
constexpr Range part_of(int64_t count, int64_t part, int64_t parts) { return {count * part / parts, count * (part + 1) / parts}; }

/// Memory that a thread will read soon: `bytes` from each of two places (or one), side by side.
struct Upcoming {
    const std::byte* from[2] = {nullptr, nullptr};
    int64_t bytes = 0;
    friend bool operator==(const Upcoming&, const Upcoming&) = default;
};

/// Threads that spin for a while between calls and then sleep.
///
/// A call costs about a microsecond while the workers are still awake (limits.h measures it). They spin for about 60 us after a call, so
/// that the stages of a step follow each other without a wake-up, and then sleep in the kernel, so that an idle process takes no time. The
/// caller waits in the same way, so more threads than free cores cost time and never hang.
///
/// Threads are not pinned: several streams, or other processes, may share the cores, and two pools pinned alike would halve each other.
/// One thread calls run() at a time; it takes part as thread 0.
class ThreadPool {
public:
    /// At least one thread, the caller. Throws Error{kNoResources} when the system gives no more.
    explicit ThreadPool(int threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int threads() const { return threads_; }

    /// Calls f(thread) once on each thread, thread in [0, threads()), and returns when all have returned. f must not throw and not call
    /// run().
    template <class F>
    void run(F&& f) noexcept {
        using Function = std::remove_reference_t<F>;
        run_task([](void* context, int thread) noexcept { (*static_cast<Function*>(context))(thread); },
                 const_cast<void*>(static_cast<const void*>(&f)));
    }

    /// Deals [0, count) out in pieces of `piece`: calls f(thread, next) once on each thread, where next() gives the thread its next range,
    /// an empty one at the end. A thread goes through its own part (part_of) from the front, then takes what others have left: who computes
    /// what depends on the moment, so only for outputs that do not depend on who computes them. Cores of shared machines stop for tens of
    /// microseconds at a time, as long as a stage of a small model takes.
    template <class F>
    void run_pieces(int64_t count, int64_t piece, F&& f) noexcept {
        for (int t = 0; t < threads_; ++t) {
            const Range part = part_of(count, t, threads_);
            dealt_[static_cast<size_t>(t)].next.store(part.begin, std::memory_order_relaxed);
            dealt_[static_cast<size_t>(t)].end = part.end;
        }
        run([&](int thread) {
            int helped = 0;
            f(thread, [&]() -> Range {
                for (; helped < threads_; ++helped) {
                    Dealt& part = dealt_[static_cast<size_t>((thread + helped) % threads_)];
                    const int64_t begin = part.next.fetch_add(piece, std::memory_order_relaxed);
                    if (begin < part.end) return {begin, std::min(part.end, begin + piece)};
                }
                return {};
            });
        });
    }

    /// From the next call of run() on, until it is said anew, threads that wait fetch upcoming(thread) into L2, from the front and once.
    /// Only the caches see it: addresses may be wrong.
    template <class F>
    void fetch_while_waiting(F&& upcoming) {
        for (int t = 0; t < threads_; ++t) upcoming_[static_cast<size_t>(t)] = upcoming(t);
    }

private:
    using Task = void (*)(void* context, int thread) noexcept;

    /// What is left of one thread's part.
    struct alignas(64) Dealt {
        std::atomic<int64_t> next{0};
        int64_t end = 0;
    };

    void run_task(Task task, void* context) noexcept;
    void work(int thread) noexcept;
    void end_workers();

    const int threads_;
    Task task_ = nullptr;  // written before epoch_ moves on
    void* context_ = nullptr;
    alignas(64) std::atomic<uint32_t> epoch_{0};    // calls so far; workers wait for it to change
    alignas(64) std::atomic<uint32_t> working_{0};  // workers that have not finished this call; the caller waits for 0
    std::atomic<bool> stop_{false};
    std::vector<Dealt> dealt_;        // one a thread; set before a call of run()
    std::vector<Upcoming> upcoming_;  // the same
    std::vector<std::thread> workers_;
};

}  // namespace hearth
