#include "kernels/host/host_arena.h"

#include "base/checked.h"
#include "base/error.h"
#include "kernels/host/host_memory.h"

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

}  // namespace hearth
