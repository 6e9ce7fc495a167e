// One event of a streamed answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "perf/serve/client/sse.h"

namespace hearth::perf {

/// Tokens as the server counted them.
struct Usage {
    std::optional<int64_t> prompt, completion, cached;
};

struct Chunk {
    bool done = false;         // [DONE]
    bool finished = false;     // has a finish_reason
    bool has_content = false;  // a token came: text, thoughts, or a part of a tool call
    std::string text;          // of the answer itself, without thoughts
    Usage usage;
    std::optional<std::string> error;  // what the server said, for people
};

/// Reads chunks of /v1/chat/completions and /v1/completions in the shapes that servers give them: roles alone, empty or null deltas,
/// `reasoning_content`, usage beside choices or by itself, `timings`. Only choice 0 is read. Throws Error for what is not JSON, or has
/// another kind of value where these have text or a count.
Chunk read_chunk(const SseEvent& event);

/// The message in the body of an error's answer, or the start of the body.
std::string error_text(const std::string& body);

}  // namespace hearth::perf
