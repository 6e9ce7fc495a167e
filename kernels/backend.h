// The one seam to a device: memory, streams, tables of variants. make_backend.h makes one.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "kernels/stream.h"
#include "kernels/tables.h"

namespace hearth {

/// Bytes on a device, freed with the last copy of the pointer. Zeroed, 64-byte aligned. Throws Error{kNoResources}.
using DeviceBytes = std::shared_ptr<std::byte>;

/// A device that can run models.
class Backend {
public:
    virtual ~Backend() = default;

    virtual std::string_view name() const = 0;  // "cpu", "reference", later "cuda"
    virtual const Device& device() const = 0;   // its `tables` are all variants
    virtual std::unique_ptr<Stream> make_stream() const = 0;
    virtual DeviceBytes allocate(int64_t bytes) const = 0;
    virtual void copy_to_device(void* to, const void* from, int64_t bytes) const = 0;
    virtual void copy_to_host(void* to, const void* from, int64_t bytes) const = 0;

    /// The layout that the variants of this device read for `parts` stacked in order; bytes set, data null.
    virtual Weight plan(std::span<const HostMatrix> parts, WeightUse use) const = 0;

    /// Fills `storage` (plan(...).bytes of this device) from `parts` with the stream's threads, and returns the weight over it.
    virtual Weight prepare(std::span<const HostMatrix> parts, WeightUse use, void* storage, Stream& stream) const = 0;

    const Tables& tables() const { return *device().tables; }
};

}  // namespace hearth
