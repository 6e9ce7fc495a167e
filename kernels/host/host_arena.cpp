#include "kernels/host/host_arena.h"

#include <sys/mman.h>

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

constexpr size_t kAlignment = 64;

}  // namespace

HostArena::HostArena() = default;
HostArena::~HostArena() = default;

void* HostArena::take(size_t bytes) noexcept {
    bytes = round_up(bytes, kAlignment);
    HEARTH_CHECK(bytes <= size_ - used_);
    void* out = memory_.get() + used_;
    used_ += bytes;
    return out;
}

void HostArena::reserve(size_t bytes) {
    HEARTH_CHECK(used_ == 0);
    bytes = round_up(bytes, kAlignment);
    if (bytes <= size_) return;
    memory_.reset();  // first: a large arena and its successor need not fit side by side
    size_ = 0;
    memory_ = allocate_host(static_cast<int64_t>(bytes));  // on huge pages where it is large: a fifth of a prefill's speed
    size_ = bytes;
}

std::shared_ptr<std::byte> allocate_host(int64_t bytes) {
    // Straight from the system: pages come zeroed, are touched first by who fills them, may be huge, and go back at once.
    const auto size = static_cast<size_t>(std::max<int64_t>(round_up(bytes, int64_t{4096}), 4096));
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw Error(ErrorKind::kNoResources, cat("no memory for ", human_bytes(bytes)));
    if (size >= size_t{2} << 20) ::madvise(memory, size, MADV_HUGEPAGE);
    return {static_cast<std::byte*>(memory), [size](std::byte* p) { ::munmap(p, size); }};
}

}  // namespace hearth
