// POST /v1/chat/completions: JSON becomes a plain request, or an error that names the field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "chat/loaded_model.h"

namespace hearth {

constexpr size_t kMaxMessages = 4096;
constexpr size_t kMaxStops = 16, kMaxStopBytes = 256;

/// What is asked for. Fields that are not set take the model's own recommendation.
struct ChatRequest {
    std::string model;              // "": whichever is in memory
    std::vector<Message> messages;  // one at least; roles system, user, assistant
    std::optional<float> temperature, top_p, min_p, repetition_penalty, frequency_penalty, presence_penalty;
    std::optional<int32_t> top_k;
    std::optional<uint64_t> seed;   // absent: another one each time
    int64_t max_tokens = -1;        // -1: what the context leaves room for
    std::vector<std::string> stop;  // texts that end the answer and are not part of it
    bool ignore_eos = false;
    bool stream = false, include_usage = false;
};

/// Unknown fields are ignored; unknown values of known fields, and fields that would change the answer and are not served
/// (unserved_fields.h), are ApiError{400}. Role developer becomes system. Content is a string or a list of text parts.
ChatRequest parse_chat_request(const nlohmann::json& body);

}  // namespace hearth
