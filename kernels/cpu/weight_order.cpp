#include "kernels/cpu/weight_order.h"

namespace hearth {

size_t WeightOrder::slot(const std::byte* weight) {
    // Weights lie on lines of 64 bytes; the product spreads what differs between their addresses over the upper bits.
    return static_cast<size_t>((reinterpret_cast<uintptr_t>(weight) >> 6) * 0x9E3779B97F4A7C15u >> 54);
}

PanelRuns WeightOrder::followed(const PanelRuns& runs) {
    if (last_ != nullptr) entries_[slot(last_)] = {last_, runs};
    last_ = runs.first;
    const Entry& entry = entries_[slot(last_)];
    return entry.of == last_ ? entry.next : PanelRuns{};
}

}  // namespace hearth
