// Memory for bytes of files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "base/checked.h"

namespace hearth {

/// Owns bytes, aligned to 64. Grows and never shrinks, so that one buffer serves tensor after tensor without new pages. Move-only.
class ByteBuffer {
public:
    /// Makes room for `bytes`; what was in it is lost and what is in it is undefined.
    void reset(int64_t bytes) {
        if (bytes > capacity_) {
            data_.reset();
            capacity_ = round_up<int64_t>(bytes, kAlignment);
            data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, static_cast<size_t>(capacity_))));
            if (!data_) {
                capacity_ = 0;
                throw std::bad_alloc();
            }
        }
        size_ = bytes;
    }

    std::byte* data() { return data_.get(); }
    const std::byte* data() const { return data_.get(); }
    int64_t size() const { return size_; }

private:
    static constexpr int64_t kAlignment = 64;
    struct Free {
        void operator()(std::byte* bytes) const { std::free(bytes); }
    };
    std::unique_ptr<std::byte, Free> data_;
    int64_t size_ = 0, capacity_ = 0;
};

}  // namespace hearth
