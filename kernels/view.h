// A pointer with extents and strides: how kernels see memory that others own.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace hearth {

/// A strided array of `Rank` dimensions over borrowed memory.
///
/// Trivially copyable, so that it can be a kernel's parameter on any device. Extents and strides count elements; the last
/// dimension is the fastest. Never owns, never allocates; whoever made it keeps the memory alive.
template <class T, int Rank>
struct View {
    T* data = nullptr;
    std::array<int64_t, Rank> extent{};
    std::array<int64_t, Rank> stride{};

    View() = default;

    /// A dense view: strides follow from extents.
    View(T* data_, std::array<int64_t, Rank> extent_) : data(data_), extent(extent_) {
        int64_t step = 1;
        for (int d = Rank - 1; d >= 0; --d) {
            stride[d] = step;
            step *= extent[d];
        }
    }

    template <class... Index>
    T& operator()(Index... index) const {
        static_assert(sizeof...(Index) == Rank);
        const std::array<int64_t, Rank> at{static_cast<int64_t>(index)...};
        int64_t offset = 0;
        for (int d = 0; d < Rank; ++d) {
            assert(at[d] >= 0 && at[d] < extent[d]);
            offset += at[d] * stride[d];
        }
        return data[offset];
    }

    T* row(int64_t i) const {
        static_assert(Rank == 2);
        assert(i >= 0 && i < extent[0]);
        return data + i * stride[0];
    }

    int64_t size() const {
        int64_t n = 1;
        for (int64_t e : extent) n *= e;
        return n;
    }
};

/// The same memory, read only.
template <class T, int Rank>
View<const T, Rank> as_const(const View<T, Rank>& view) {
    View<const T, Rank> out;
    out.data = view.data;
    out.extent = view.extent;
    out.stride = view.stride;
    return out;
}

}  // namespace hearth
