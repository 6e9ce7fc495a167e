// Reads the rotary embedding from a config.json.
#pragma once

#include "loaders/config/fields.h"
#include "runtime/model_config.h"

namespace hearth {

/// Reads rope_parameters (transformers 5), else rope_scaling and rope_theta (transformers 4). `context`: max_position_embeddings.
/// Throws Error: a kind that is unknown or not done (dynamic, longrope) by its name, numbers that make no rotation.
RopeConfig read_rope(const ConfigFields& config, int64_t context, double default_theta);

}  // namespace hearth
