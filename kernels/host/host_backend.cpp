#include "kernels/host/host_backend.h"

#include <cstring>

#include "base/checked.h"
#include "kernels/host/fast_quantize.h"
#include "kernels/host/host_memory.h"

namespace hearth {

DeviceBytes HostBackend::allocate(int64_t bytes) const { return allocate_host(bytes); }

void HostBackend::copy_to_device(void* to, const void* from, int64_t bytes) const { std::memcpy(to, from, static_cast<size_t>(bytes)); }

void HostBackend::copy_to_host(void* to, const void* from, int64_t bytes) const { std::memcpy(to, from, static_cast<size_t>(bytes)); }

Weight HostBackend::plan(std::span<const HostMatrix> parts, WeightUse use) const { return plan_weight(parts, use); }

Weight HostBackend::prepare(std::span<const HostMatrix> parts, WeightUse use, void* storage, Stream& stream) const {
    Weight weight = plan_weight(parts, use);
    constexpr int64_t kPanelsPerTask = 16;
    const int64_t panels = ceil_div(weight.n, kPanelRows);
    stream.parallel_for(ceil_div(panels, kPanelsPerTask), [&](int64_t task) {
        pack_panels(parts, weight, task * kPanelsPerTask, std::min(panels, (task + 1) * kPanelsPerTask), storage, quantize_row_fast);
    });
    weight.columns = packed_columns(parts, weight, storage);
    weight.data = storage;
    return weight;
}

}  // namespace hearth
