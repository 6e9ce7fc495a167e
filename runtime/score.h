// Log-probabilities of a given text: perplexity, prompt scores.
#pragma once

#include <span>
#include <vector>

#include "base/progress.h"
#include "runtime/model.h"

namespace hearth {

/// Log-probability of each token but the first, given those before it: tokens.size() - 1 values. In chunks of `chunk` tokens.
/// Throws Error{kTooLarge} when the tokens do not fit model.max_context().
std::vector<float> log_probabilities(const Model& model, std::span<const int32_t> tokens, DType cache_dtype = DType::kBf16,
                                     int64_t chunk = 512);

}  // namespace hearth
