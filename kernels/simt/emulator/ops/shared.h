// Shared memory: arrays taken one after the other, by all threads alike, from what the launch reserved.
#pragma once

#include "kernels/simt/emulator/memory/pointers.h"

namespace hearth::simt {

Region* take_shared(uint64_t bytes, uint64_t align, Where where);

/// Every thread of the block makes one at the kernel's begin and takes the same arrays in the same order.
class SharedArena {
public:
    /// `count` elements, at an address that is a multiple of kAlign. Poisoned with NaN, and an error to read before it is written.
    template <class T, unsigned kAlign = 16>
    SharedPtr<T> take(long long count, Where where = Where::here()) {
        Region* region = take_shared(static_cast<uint64_t>(count) * sizeof(T), kAlign < alignof(T) ? alignof(T) : kAlign, where);
        return {region, region->base};
    }
};

}  // namespace hearth::simt
