// The JSON of one request.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perf/serve/load/prompts.h"

namespace hearth::perf {

/// For /v1/chat/completions or /v1/completions, as options.api says: streamed, with at most `answer_tokens`. `messages`: everything said
/// so far; completions get their texts one after the other.
std::string request_body(const LoadOptions& options, const std::vector<Message>& messages, int64_t answer_tokens);

/// The path below options.url.
std::string request_path(Api api);

}  // namespace hearth::perf
