// The body of POST /v1/chat/completions. Oracle: what is accepted has every number within its range, texts in UTF-8 that are no longer than
// the body, and a bounded number of tokens; a refusal is a status 4xx whose body is JSON.
#include "chat/api/chat_request.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "chat/api/api_error.h"
#include "chat/api/json_body.h"
#include "tests/fuzz/targets/all.h"

namespace hearth::fuzz {
namespace {

void within(const std::optional<float>& value, float low, float high, std::string_view what) {
    require(!value || (std::isfinite(*value) && *value >= low && *value <= high), what);
}

void check_texts(const ChatRequest& request, size_t body_bytes) {
    size_t bytes = request.model.size();
    require(is_utf8(request.model) && request.model.size() <= 1024, "the model's name");
    for (const Message& message : request.messages) {
        require(message.role == "system" || message.role == "user" || message.role == "assistant", "a role");
        require(is_utf8(message.content), "a content is UTF-8");
        bytes += message.content.size();
    }
    for (const std::string& stop : request.stop) {
        require(!stop.empty() && stop.size() <= kMaxStopBytes && is_utf8(stop), "a stop text");
        bytes += stop.size();
    }
    require(bytes <= body_bytes, "texts are no longer than the body");
}

void check(const ChatRequest& request) {
    require(!request.messages.empty() && request.messages.size() <= kMaxMessages, "the number of messages");
    require(request.stop.size() <= kMaxStops, "the number of stop texts");
    within(request.temperature, 0, 2, "temperature");
    within(request.top_p, 0, 1, "top_p");
    within(request.min_p, 0, 1, "min_p");
    within(request.repetition_penalty, 0.1f, 10, "repetition_penalty");
    within(request.frequency_penalty, -2, 2, "frequency_penalty");
    within(request.presence_penalty, -2, 2, "presence_penalty");
    require(!request.top_k || (*request.top_k >= 0 && *request.top_k <= 1'000'000), "top_k");
    require(request.max_tokens == -1 || (request.max_tokens >= 1 && request.max_tokens <= INT32_MAX), "max_tokens");
}

}  // namespace

void run_chat_request(std::string_view input) {
    try {
        const ChatRequest request = parse_chat_request(parse_json_body(input));
        check(request);
        check_texts(request, input.size());
    } catch (const ApiError& refused) {
        require(nlohmann::json::accept(refused.body()), "a refusal is JSON");
        require(refused.status() >= 400 && refused.status() < 500, "a refusal is the client's fault");
    }
}

std::vector<std::string> seeds_chat_request() {
    return {
        R"({"model":"ember","messages":[{"role":"user","content":"Hi"}]})",
        R"({"messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}],"temperature":0.7,"top_p":0.9,"top_k":40,"min_p":0.1})",
        R"({"messages":[{"role":"user","content":"x"}],"stop":["\n","END"],"seed":18446744073709551615,"max_tokens":16,"stream":true,"stream_options":{"include_usage":true}})",
        R"({"messages":[{"role":"user","content":"x"}],"frequency_penalty":-2,"presence_penalty":2.0,"repetition_penalty":1.1,"max_completion_tokens":1e3,"n":1,"logprobs":false})",
        R"({"messages":[{"role":"user","content":"x"}],"tools":[],"tool_choice":"none","response_format":{"type":"text"},"logit_bias":{},"user":null})"};
}

}  // namespace hearth::fuzz
