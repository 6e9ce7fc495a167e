// Where a mixture's choice of experts hangs by a thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/model.h"

namespace hearth::testing {

/// For each token the least distance, over all layers, between the last expert that is chosen and the first that is not, in router
/// logits. Infinite for a dense model. `model` is on a host backend.
std::vector<float> router_margins(const Model& model, std::span<const int32_t> ids);

}  // namespace hearth::testing
