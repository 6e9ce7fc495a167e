// The table of cosines and sines that qkv reads.
#pragma once

#include <vector>

#include "runtime/model_config.h"

namespace hearth {

/// Angle per position of each of the head_dim / 2 pairs, after scaling. Computed in float32 as transformers does, so that a table
/// agrees with its to the last bit or nearly.
std::vector<float> rope_frequencies(const RopeConfig& rope, int64_t head_dim);

/// [positions, head_dim]: row p holds cos(p * f) of the head_dim / 2 pairs, then sin, both times attention_factor.
std::vector<float> rope_table(const RopeConfig& rope, int64_t head_dim, int64_t positions);

}  // namespace hearth
