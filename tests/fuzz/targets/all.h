// The targets, each in the file of its name.
#pragma once

#include "tests/fuzz/target.h"

// HEARTH_FUZZ_TARGETS(X): X(name) for each target. A new one is a line here and a file.
#define HEARTH_FUZZ_TARGETS(X) \
    X(safetensors)             \
    X(checkpoint)              \
    X(tokenizer_json)          \
    X(tokenizer_model)         \
    X(tokenize)                \
    X(chat_template)           \
    X(messages)                \
    X(http)                    \
    X(chat_request)

namespace hearth::fuzz {

#define HEARTH_DECLARE_TARGET(name)    \
    void run_##name(std::string_view); \
    std::vector<std::string> seeds_##name();
HEARTH_FUZZ_TARGETS(HEARTH_DECLARE_TARGET)
#undef HEARTH_DECLARE_TARGET

}  // namespace hearth::fuzz
