// Requests that tests of the engine make, and what came of them.
#pragma once

#include <memory>
#include <vector>

#include "runtime/engine/model_engine.h"

namespace hearth::testing {

struct WholeAnswer {
    std::vector<int32_t> tokens;
    TokenEvent end;
};

/// Reads an answer to its end.
WholeAnswer read_all(TokenStream& stream);

/// A request that differs from others in everything.
Request request_number(int n, int64_t vocab = 61);

/// Greedy.
Request short_request(std::vector<int32_t> prompt, int64_t max_tokens);

/// A tiny model whose steps a GatedSteps lets through.
std::shared_ptr<const Model> gated_model();

}  // namespace hearth::testing
