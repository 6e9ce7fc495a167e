#include "tests/fuzz/cost.h"

#include <algorithm>
#include <cstddef>

// Of the sanitizers' runtime, where there is one.
extern "C" {
[[gnu::weak]] int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, size_t),
                                                            void (*on_free)(const volatile void*));
[[gnu::weak]] size_t __sanitizer_get_allocated_size(const volatile void*);
}

namespace hearth::fuzz {
namespace {

thread_local bool counting = false;
thread_local long held = 0, peak = 0;

void on_malloc(const volatile void*, size_t bytes) {
    if (!counting) return;
    held += static_cast<long>(bytes);
    peak = std::max(peak, held);
}

void on_free(const volatile void* at) {
    if (counting && at != nullptr) held -= static_cast<long>(__sanitizer_get_allocated_size(at));
}

}  // namespace

PeakMemory::PeakMemory() {
    static const bool hooked = __sanitizer_install_malloc_and_free_hooks != nullptr && __sanitizer_get_allocated_size != nullptr &&
                               __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0;
    held = peak = 0;
    counting = hooked;
}

PeakMemory::~PeakMemory() { counting = false; }

long PeakMemory::bytes() const { return peak; }

}  // namespace hearth::fuzz
