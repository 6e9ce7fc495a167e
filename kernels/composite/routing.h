// Which experts a token goes to.
#pragma once

#include <cstdint>

namespace hearth {

/// The `top_k` experts with the largest router logits, best first (the lower number among equals), and their softmax probabilities,
/// over the chosen ones if `renormalize`, else over all. Computed in float32 as transformers does.
/// logits [experts]; ids, probabilities [top_k], out.
void route(const float* logits, int64_t experts, int64_t top_k, bool renormalize, int32_t* ids, float* probabilities) noexcept;

}  // namespace hearth
