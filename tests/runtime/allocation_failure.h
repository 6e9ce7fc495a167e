// Lets allocations fail, for tests of what happens then.
#pragma once

#include <cstddef>

namespace hearth::testing {

/// While it lives, operator new throws std::bad_alloc on every other thread for sizes from `least` to `most` bytes. One at a time.
class AllocationFailure {
public:
    AllocationFailure(std::size_t least, std::size_t most);
    ~AllocationFailure();
    AllocationFailure(const AllocationFailure&) = delete;

    int failures() const;  // so far
};

}  // namespace hearth::testing
