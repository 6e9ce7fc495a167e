// What the weights of a checkpoint will be on a device, before they are loaded.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/backend.h"
#include "loaders/checkpoint/checkpoint_info.h"
#include "loaders/quantize/options.h"
#include "runtime/weights.h"

namespace hearth {

/// Bytes on the device that load_model will take for weights; where info.checkpoint is null, what random weights of info.config take. Reads
/// scales, zero points and column groups of quantised checkpoints. Throws Error{kIo} where they cannot be read.
int64_t planned_weight_bytes(const CheckpointInfo& info, const Backend& backend, const QuantizeOptions& quantize = {});

/// Weights of all layers and the tables as `backend` would lay them out, over no memory: weights have `stand_in` as data, vectors a size
/// alone. For questions about kernels, never for running.
Weights planned_layers(const CheckpointInfo& info, const Backend& backend, const QuantizeOptions& quantize, const std::byte* stand_in);

}  // namespace hearth
