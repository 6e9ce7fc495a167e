// Requests of every kind that an engine takes.
#pragma once

#include "runtime/engine/request.h"

namespace hearth::testing {

/// What mixed_request() makes of a number. They fit a context of kMixedContext tokens.
constexpr int64_t kMixedContext = 256;

/// Always the same for the same number, with a constraint of its own where it has one. Many begin alike; there are several owners. Among
/// them are greedy ones and such with temperature, top_k, top_p, min_p, penalties, bias, stop tokens, a least length, constraints,
/// log-probabilities, scored prompts with and without an answer, and embeddings.
Request mixed_request(int number, int64_t vocab);

}  // namespace hearth::testing
