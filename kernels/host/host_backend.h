// What every backend does whose memory is the host's.
#pragma once

#include <cstring>

#include "kernels/backend.h"
#include "kernels/host/host_memory.h"

namespace hearth {

/// Memory, copies and packing on the host; the device, its tables and streams are the derived class's.
class HostBackend : public Backend {
public:
    DeviceBytes allocate(int64_t bytes) const override { return allocate_host(bytes); }
    void copy_to_device(void* to, const void* from, int64_t bytes) const override { std::memcpy(to, from, static_cast<size_t>(bytes)); }
    void copy_to_host(void* to, const void* from, int64_t bytes) const override { std::memcpy(to, from, static_cast<size_t>(bytes)); }
    Weight plan(std::span<const HostMatrix> parts, WeightUse use) const override { return plan_weight(parts, use); }
    Weight prepare(std::span<const HostMatrix> parts, WeightUse use, void* storage, Stream& stream) const override {
        return prepare_on_host(parts, use, storage, stream);
    }
};

}  // namespace hearth
