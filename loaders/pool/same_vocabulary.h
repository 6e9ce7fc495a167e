// Whether a model can draft for another: both must mean the same by every token.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "loaders/tokenizer/tokenizer.h"

namespace hearth {

/// Nothing where the two have the same tokens, byte for byte and special ones as such, under the same ids; else what the first difference
/// is, for an error.
std::optional<std::string> vocabulary_difference(const Tokenizer& model, const Tokenizer& draft);

}  // namespace hearth
