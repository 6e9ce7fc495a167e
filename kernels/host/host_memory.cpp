#include "kernels/host/host_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

constexpr size_t kPage = 4096, kHugePage = size_t{2} << 20, kLine = 64;
constexpr size_t kStretch = size_t{256} << 20, kMostOfStretch = kStretch / 2;

/// Some address space, from the border of a huge page on. Null where the system has none.
std::shared_ptr<std::byte> map_pages(size_t bytes) {
    const size_t size = round_up(bytes, kPage) + kHugePage;
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    ::madvise(memory, size, MADV_HUGEPAGE);
    auto* begin = static_cast<std::byte*>(memory);
    auto* aligned = reinterpret_cast<std::byte*>(round_up(reinterpret_cast<uintptr_t>(begin), kHugePage));
    return {aligned, [begin, size](std::byte*) { ::munmap(begin, size); }};
}

/// Gives the whole pages of [data, data + bytes) back.
void discard(std::byte* data, size_t bytes) {
    const uintptr_t begin = round_up(reinterpret_cast<uintptr_t>(data), kPage),
                    end = (reinterpret_cast<uintptr_t>(data) + bytes) / kPage * kPage;
    if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

/// Address space that is handed out from the front and never twice, so that what is handed out is zero.
class Stretches {
public:
    /// Null where the system has no more.
    std::shared_ptr<std::byte> take(size_t bytes) {
        const std::lock_guard lock(mutex_);
        if (!current_ || bytes > kStretch - used_) {
            auto next = map_pages(kStretch);
            if (!next) return nullptr;
            current_ = std::move(next);
            used_ = 0;
        }
        std::byte* data = current_.get() + used_;
        used_ += bytes;
        return {data, [bytes, stretch = current_](std::byte* p) { discard(p, bytes); }};
    }

private:
    std::mutex mutex_;
    std::shared_ptr<std::byte> current_;
    size_t used_ = 0;
};

}  // namespace

std::shared_ptr<std::byte> allocate_host(int64_t bytes) {
    static Stretches* const stretches = new Stretches;  // lives as long as anything that might still go back
    const size_t size = round_up(static_cast<size_t>(std::max<int64_t>(bytes, 1)), kLine);
    std::shared_ptr<std::byte> memory = size <= kMostOfStretch ? stretches->take(size) : nullptr;
    if (!memory) memory = map_pages(size);  // of its own: large, or no room for a stretch
    if (!memory) throw Error(ErrorKind::kNoResources, cat("no memory for ", human_bytes(bytes)));
    return memory;
}

}  // namespace hearth
