// The body of POST /v1/chat/completions. Oracle: what is accepted has every number within its range.
#include "chat/api/chat_request.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "chat/api/api_error.h"
#include "chat/api/json_body.h"
#include "tests/fuzz/targets/all.h"

namespace hearth::fuzz {
namespace {

void within(const std::optional<float>& value, float low, float high, std::string_view what) {
    require(!value || (std::isfinite(*value) && *value >= low && *value <= high), what);
}

void check(const ChatRequest& request) {
    require(!request.messages.empty() && request.messages.size() <= kMaxMessages, "the number of messages");
    require(request.stop.size() <= kMaxStops, "the number of stop texts");
    for (const std::string& stop : request.stop) require(!stop.empty() && stop.size() <= kMaxStopBytes, "the length of a stop text");
    within(request.temperature, 0, 100, "temperature");
    within(request.top_p, 0, 1, "top_p");
    within(request.min_p, 0, 1, "min_p");
    within(request.repetition_penalty, 0.001f, 100, "repetition_penalty");
    within(request.frequency_penalty, -2, 2, "frequency_penalty");
    within(request.presence_penalty, -2, 2, "presence_penalty");
    require(!request.top_k || *request.top_k >= 0, "top_k");
    require(request.max_tokens >= -1, "max_tokens");
}

}  // namespace

void run_chat_request(std::string_view input) {
    try {
        check(parse_chat_request(parse_json_body(input)));
    } catch (const ApiError& refused) {
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
