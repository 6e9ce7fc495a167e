// What every backend does whose memory is the host's.
#pragma once

#include "kernels/backend.h"

namespace hearth {

/// Memory, copies and packing on the host, by the stream's threads; the device, its tables and streams are the derived class's.
class HostBackend : public Backend {
public:
    DeviceBytes allocate(int64_t bytes) const override;
    void copy_to_device(void* to, const void* from, int64_t bytes) const override;
    void copy_to_host(void* to, const void* from, int64_t bytes) const override;
    Weight plan(std::span<const HostMatrix> parts, WeightUse use) const override;
    Weight prepare(std::span<const HostMatrix> parts, WeightUse use, void* storage, Stream& stream) const override;
};

}  // namespace hearth
