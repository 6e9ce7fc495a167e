// Scratch memory of a stage, given back when it leaves the scope.
#pragma once

#include <cstdint>

#include "kernels/stream.h"
#include "kernels/view.h"

namespace hearth {

constexpr size_t kScratchAlignment = 64;

/// Bytes that `count` values of T take from an arena.
template <class T>
constexpr size_t scratch_bytes(int64_t count) {
    return (static_cast<size_t>(count) * sizeof(T) + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;
}

/// Takes from the stream's arena, releases all of it at the end of the scope.
class Scratch {
public:
    explicit Scratch(Stream& stream) : stream_(stream), mark_(stream.mark()) {}
    ~Scratch() { stream_.release(mark_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    template <class T>
    T* take(int64_t count) noexcept {
        return static_cast<T*>(stream_.take(scratch_bytes<T>(count)));
    }

    View<float, 2> matrix(int64_t rows, int64_t columns) noexcept { return {take<float>(rows * columns), {rows, columns}}; }

private:
    Stream& stream_;
    size_t mark_;
};

}  // namespace hearth
