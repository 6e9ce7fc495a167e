#include "kernels/simt/emulator/fiber/stacks.h"

#include <sys/mman.h>

#include <new>

namespace hearth::simt {
namespace {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStackBytes = 256 * 1024;  // sanitizers put red zones round every local
#else
constexpr size_t kStackBytes = 60 * 1024;
#endif
}  // namespace

Stacks::Stacks(size_t count, size_t bytes) : count_(count), bytes_(bytes) {
    const size_t all = count * (bytes + kGuardBytes);
    void* memory = mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<char*>(memory);
    for (size_t i = 0; i < count; ++i) {
        if (mprotect(base_ + i * (bytes + kGuardBytes), kGuardBytes, PROT_NONE) != 0) {
            munmap(base_, all);
            throw std::bad_alloc();
        }
    }
}

Stacks::~Stacks() { munmap(base_, count_ * (bytes_ + kGuardBytes)); }

std::unique_ptr<Stacks> StackPool::take(size_t count) {
    for (auto& stacks : free_) {
        if (stacks->count() != count) continue;
        std::unique_ptr<Stacks> found = std::move(stacks);
        stacks = std::move(free_.back());
        free_.pop_back();
        return found;
    }
    return std::make_unique<Stacks>(count, kStackBytes);
}

StackPool& stack_pool() {
    thread_local StackPool pool;
    return pool;
}

}  // namespace hearth::simt
