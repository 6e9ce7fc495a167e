// Greedy answers of rounded arithmetic against exact ones.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/model.h"

namespace hearth::testing {

/// What an exact run answers, and by how much the best logit led the second at each step.
struct GreedyGolden {
    std::string what;                // for messages
    std::vector<int32_t> ids, want;  // prompt, answer
    std::vector<float> gaps;         // of each token of the answer
};

/// Expects the engine's greedy tokens to be the golden's up to the first step whose gap is below `close`, and, with the golden's own
/// tokens before it, the choice at every step that is no close call. Most steps must be none.
void expect_greedy(const std::shared_ptr<const Model>& model, const GreedyGolden& golden, DType cache, float close);

}  // namespace hearth::testing
