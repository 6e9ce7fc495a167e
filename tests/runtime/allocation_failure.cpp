#include "tests/runtime/allocation_failure.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> least{1}, most{0};
std::atomic<int> failed{0};
std::atomic<std::int64_t> left{0};  // allocations until one fails; 0: none does by its number
thread_local bool spared = false;

}  // namespace

void* operator new(std::size_t size) {
    const bool its_turn = !spared && left.load() > 0 && left.fetch_sub(1) == 1;
    if ((size >= least.load() && size <= most.load() && !spared) || its_turn) {
        ++failed;
        throw std::bad_alloc();
    }
    if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
    throw std::bad_alloc();
}

// Standard algorithms ask this way for their buffers. Were it left out, a sanitizer's own would answer, and find its memory freed by us.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return ::operator new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace hearth::testing {

AllocationFailure::AllocationFailure(std::size_t least_bytes, std::size_t most_bytes) {
    spared = true;
    failed = 0;
    least = least_bytes;
    most = most_bytes;
}

AllocationFailure::AllocationFailure(std::int64_t number) {
    spared = true;
    failed = 0;
    left = number;
}

AllocationFailure::~AllocationFailure() {
    most = 0;
    left = 0;
}

int AllocationFailure::failures() const { return failed; }

}  // namespace hearth::testing
