// Where stages run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "kernels/device.h"

namespace hearth {

/// Where stages run, one after the other: on the CPU the thread pool and the scratch arena; on a GPU its stream and arena.
/// One thread uses a stream at a time. All streams of a device share its threads: who runs stages holds the stream's lock, a step long, and
/// other streams wait for their turn, first come, first served.
class Stream {
public:
    explicit Stream(const Device& device) : device_(device) {}
    virtual ~Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    const Device& device() const { return device_; }
    const Tables& tables() const { return *device_.tables; }  // kernels/tables.h

    /// A BasicLockable, for std::lock_guard. Not for parallel_for(), which takes it itself.
    virtual void lock() {}
    virtual void unlock() {}

    /// Scratch, 64-byte aligned, until release() to a mark taken before. Within what reserve() made room for; more is an internal error.
    virtual void* take(size_t bytes) noexcept = 0;
    virtual size_t mark() const noexcept = 0;
    virtual void release(size_t mark) noexcept = 0;

    /// Makes room for `bytes` of scratch in all. Throws Error{kNoResources}. Nothing may be taken at that time.
    virtual void reserve(size_t bytes) = 0;

    /// Calls task(i) for every i in [0, count), on as many host threads as the stream has: for loading.
    virtual void parallel_for(int64_t count, const std::function<void(int64_t)>& task) = 0;

    /// Waits until all that was started has ended. On the CPU nothing is ever left.
    virtual void wait() = 0;

private:
    const Device& device_;
};

}  // namespace hearth
