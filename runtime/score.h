// Log-probabilities of a given text: perplexity, prompt scores, how far a model lies from another.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "runtime/model.h"

namespace hearth {

/// What a model expected at some tokens one after the other.
struct ScoredRows {
    int64_t first = 0;              // the token that row 0 expected, as its index in the text
    View<const float, 2> expected;  // [rows, V], log-probabilities, on the host
};

struct ScoreOptions {
    DType cache_dtype = DType::kBf16;
    int64_t chunk = 512;                               // tokens a step; large vocabularies get shorter ones
    int64_t from = 1;                                  // the first token to score, at least 1: those before it are read and not scored
    std::function<void(const ScoredRows&)> rows = {};  // sees every row, in order of the text; what it is given is valid until it returns
    Profile* profile = nullptr;                        // what the stages took is added to it
};

/// Log-probability of each token from options.from on, given those before it: tokens.size() - options.from values.
/// Throws Error{kTooLarge} when the tokens do not fit model.max_context(), Error{kBadInput} for an id outside the vocabulary and, where
/// rows are asked for, for logits that are not finite; what options.rows throws.
std::vector<float> log_probabilities(const Model& model, std::span<const int32_t> tokens, const ScoreOptions& options = {});

}  // namespace hearth
