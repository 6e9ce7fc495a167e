// Stacks for the fibers of one block: one mapping, a guard page below each, kept for the next block.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace hearth::simt {

constexpr size_t kGuardBytes = 4096;

/// `count` stacks of `bytes` each. A kernel that runs over its stack meets the guard page and the program ends.
class Stacks {
public:
    Stacks(size_t count, size_t bytes);
    ~Stacks();
    Stacks(const Stacks&) = delete;
    Stacks& operator=(const Stacks&) = delete;

    size_t count() const { return count_; }
    size_t bytes() const { return bytes_; }
    char* stack(size_t i) const { return base_ + i * (bytes_ + kGuardBytes) + kGuardBytes; }

private:
    char* base_ = nullptr;
    size_t count_, bytes_;
};

/// Lends sets of stacks.
class StackPool {
public:
    std::unique_ptr<Stacks> take(size_t count);
    void give_back(std::unique_ptr<Stacks> stacks) { free_.push_back(std::move(stacks)); }

private:
    std::vector<std::unique_ptr<Stacks>> free_;
};

/// The calling OS thread's own: stacks outlive the emulators that used them, for touching fresh pages costs more than a small kernel.
StackPool& stack_pool();

}  // namespace hearth::simt
