// Lets allocations fail, for tests of what happens then.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::testing {

/// While it lives, operator new throws std::bad_alloc on every other thread for sizes from `least` to `most` bytes. One at a time.
class AllocationFailure {
public:
    AllocationFailure(std::size_t least, std::size_t most);

    /// The same for the allocation of that number, counted from 1 over all other threads, whatever its size; those behind it succeed.
    static AllocationFailure of_number(std::int64_t number) { return AllocationFailure(number); }

    ~AllocationFailure();
    AllocationFailure(const AllocationFailure&) = delete;

    int failures() const;  // so far

private:
    explicit AllocationFailure(std::int64_t number);
};

}  // namespace hearth::testing
