#include "kernels/cpu/cpu_stream.h"

#include <exception>
#include <mutex>

namespace hearth {

void* CpuStream::take(size_t bytes) noexcept { return arena_.take(bytes); }
size_t CpuStream::mark() const noexcept { return arena_.mark(); }
void CpuStream::release(size_t mark) noexcept { arena_.release(mark); }
void CpuStream::reserve(size_t bytes) { arena_.reserve(bytes); }
void CpuStream::wait() {}

void CpuStream::parallel_for(int64_t count, const std::function<void(int64_t)>& task) {
    std::atomic<int64_t> next{0};
    std::exception_ptr failure;
    std::mutex mutex;  // of failure
    const std::lock_guard turn(*this);
    pool().run([&](int) noexcept {
        for (int64_t i = next++; i < count; i = next++) {
            try {
                task(i);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!failure) failure = std::current_exception();
                next = count;
            }
        }
    });
    if (failure) std::rethrow_exception(failure);
}

}  // namespace hearth
