// Where stages run on the CPU: a thread pool and a scratch arena.
#pragma once

#include <algorithm>

#include "kernels/cpu/thread_pool.h"
#include "kernels/cpu/weight_order.h"
#include "kernels/host/host_arena.h"
#include "kernels/stream.h"

namespace hearth {

/// The stream of every device of the backend "cpu". One thread uses it at a time; its own threads sleep when nothing is asked.
class CpuStream final : public Stream {
public:
    explicit CpuStream(const Device& device) : Stream(device), pool_(device.threads) {}

    void* take(size_t bytes) noexcept override;
    size_t mark() const noexcept override;
    void release(size_t mark) noexcept override;
    void reserve(size_t bytes) override;

    /// Tasks are handed out one by one, as they differ in length. The first exception of a task ends the loop and is thrown here.
    void parallel_for(int64_t count, const std::function<void(int64_t)>& task) override;
    void wait() override;

    ThreadPool& pool() { return pool_; }
    WeightOrder& weight_order() { return weight_order_; }

private:
    ThreadPool pool_;
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
