// The fields that clients of OpenAI, vLLM and llama.cpp send, and what becomes of those that are not served.
#pragma once

#include <span>

#include <nlohmann/json_fwd.hpp>

namespace hearth {

enum class FieldUse {
    kServed,     // read by parse_chat_request, which says what it takes
    kNoEffect,   // changes no answer: ignored, whatever it holds
    kNotServed,  // would change the answer, or asks for more than the answer: taken with a value that changes nothing, else refused
};

/// One field. null, an empty text, list or object, and false (unless true is what changes nothing) never change anything.
struct RequestField {
    const char* name;
    FieldUse use;
    const char* neutral = "";  // further values that change nothing, as JSON, with commas between them: 1, "auto"
    const char* instead = "";  // what says it here
};

/// Each name once. What is not here is unknown and ignored.
std::span<const RequestField> request_fields();

/// Throws ApiError{400} naming the first field that would change the answer and is not served: better no answer than another one.
void refuse_unserved_fields(const nlohmann::json& request);

}  // namespace hearth
