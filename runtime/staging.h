// Small host arrays on their way to the device.
#pragma once

#include <cstring>
#include <vector>

#include "base/checked.h"
#include "base/error.h"
#include "kernels/backend.h"

namespace hearth {

/// The flat arrays of one step: put() gathers them on the host, upload() copies them at once, at() says where they came to lie.
/// Grows to the largest step and then allocates nothing. Belongs to one thread. `Backend` outlives it.
class Staging {
public:
    explicit Staging(const Backend& backend) : backend_(backend) {}

    /// Forgets what was put. The memory on the device is written again by the next upload().
    void begin() { size_ = 0; }

    /// Copies `count` elements; returns their place for at().
    template <class T>
    size_t put(const T* data, size_t count) {
        const size_t place = round_up<size_t>(size_, 64);
        size_ = place + count * sizeof(T);
        if (size_ > host_.size()) host_.resize(2 * size_);
        if (count > 0) std::memcpy(host_.data() + place, data, count * sizeof(T));
        return place;
    }

    void upload() {
        if (size_ > capacity_) {
            device_ = backend_.allocate(static_cast<int64_t>(host_.size()));  // which may throw: until then nothing has changed
            capacity_ = host_.size();
        }
        if (size_ > 0) backend_.copy_to_device(device_.get(), host_.data(), static_cast<int64_t>(size_));
    }

    /// What was put at `place`, on the device. Valid until the next upload(). Rows of `extent` are dense.
    template <class T, int Rank>
    View<const T, Rank> at(size_t place, std::array<int64_t, Rank> extent) const {
        HEARTH_CHECK(place <= capacity_);
        return {reinterpret_cast<const T*>(device_.get() + place), extent};
    }

private:
    const Backend& backend_;
    std::vector<std::byte> host_;
    DeviceBytes device_;
    size_t size_ = 0, capacity_ = 0;
};

}  // namespace hearth
