// A bump allocator over host memory: the scratch of streams that run on the CPU.
#pragma once

#include <cstddef>
#include <memory>

namespace hearth {

/// take() moves a mark up, release() moves it back. One thread.
class HostArena {
public:
    HostArena();
    ~HostArena();
    HostArena(const HostArena&) = delete;
    HostArena& operator=(const HostArena&) = delete;

    void* take(size_t bytes) noexcept;  // 64-byte aligned; past what is reserved: internal error
    size_t mark() const noexcept { return used_; }
    void release(size_t mark) noexcept { used_ = mark; }
    void reserve(size_t bytes);  // grows to at least `bytes`; nothing may be taken. Throws Error{kNoResources}

private:
    std::shared_ptr<std::byte> memory_;
    size_t size_ = 0, used_ = 0;
};

}  // namespace hearth
