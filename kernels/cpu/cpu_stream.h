// Where stages run on the CPU: a thread pool and a scratch arena.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "base/fair_mutex.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/cpu/weight_order.h"
#include "kernels/host/host_arena.h"
#include "kernels/stream.h"

namespace hearth {

/// The threads of a device, and whose turn it is to use them.
struct SharedThreads {
    explicit SharedThreads(int threads) : pool(threads) {}
    ThreadPool pool;
    FairMutex turn;
};

/// The stream of every device of the backend "cpu". One thread uses it at a time; the threads sleep when nothing is asked.
class CpuStream final : public Stream {
public:
    /// With threads of its own, or with those that several streams of one device share.
    explicit CpuStream(const Device& device) : CpuStream(device, std::make_shared<SharedThreads>(device.threads)) {}
    CpuStream(const Device& device, std::shared_ptr<SharedThreads> threads) : Stream(device), threads_(std::move(threads)) {}

    void lock() override { threads_->turn.lock(); }
    void unlock() override { threads_->turn.unlock(); }

    void* take(size_t bytes) noexcept override;
    size_t mark() const noexcept override;
    void release(size_t mark) noexcept override;
    void reserve(size_t bytes) override;

    /// Tasks are handed out one by one, as they differ in length. The first exception of a task ends the loop and is thrown here.
    void parallel_for(int64_t count, const std::function<void(int64_t)>& task) override;
    void wait() override;

    ThreadPool& pool() { return threads_->pool; }
    WeightOrder& weight_order() { return weight_order_; }

private:
    std::shared_ptr<SharedThreads> threads_;
    WeightOrder weight_order_;
    HostArena arena_;
};

/// The pool of the stream that a variant of the "cpu" backend was given.
inline ThreadPool& pool_of(Stream& stream) { return static_cast<CpuStream&>(stream).pool(); }

/// Calls f(range) for parts that cover [0, count), on all threads; on the caller alone where the whole is so little work (`steps`, about a
/// nanosecond each) that waking the others would cost more.
template <class F>
void share(Stream& stream, int64_t count, int64_t steps, F&& f) noexcept {
    constexpr int64_t kWorthSharing = 4000;
    ThreadPool& pool = pool_of(stream);
    const int64_t parts = std::min<int64_t>(count, pool.threads());
    if (parts <= 1 || steps < kWorthSharing) return f(Range{0, count});
    pool.run([&](int thread) {
        if (thread < parts) f(part_of(count, thread, parts));
    });
}

}  // namespace hearth
