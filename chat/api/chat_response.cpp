#include "chat/api/chat_response.h"

#include <chrono>
#include <random>

#include <nlohmann/json.hpp>

#include "chat/api/json_body.h"

namespace hearth {
namespace {

using nlohmann::json;

std::string random_id() {
    constexpr char kDigits[] = "0123456789abcdef";
    std::random_device random;
    std::string out = "chatcmpl-";
    for (int word = 0; word < 4; ++word) {
        uint32_t bits = random();
        for (int i = 0; i < 8; ++i, bits >>= 4) out += kDigits[bits & 15];
    }
    return out;
}

json usage_of(const RequestStats& stats) {
    return {{"prompt_tokens", stats.prompt_tokens},
            {"completion_tokens", stats.generated_tokens},
            {"total_tokens", stats.prompt_tokens + stats.generated_tokens},
            {"prompt_tokens_details", {{"cached_tokens", stats.cached_tokens}}}};
}

json timings_of(const RequestStats& stats) {
    // The first token falls out of the prefill: the time of decoding is that of the others.
    const auto decoded = static_cast<double>(stats.generated_tokens - 1);
    const double per_second = decoded > 0 && stats.decode_ms > 0 ? 1000 * decoded / stats.decode_ms : 0;
    return {{"prompt_n", stats.prompt_tokens},   {"cache_n", stats.cached_tokens},        {"queued_ms", stats.queued_ms},
            {"prompt_ms", stats.prefill_ms},     {"predicted_n", stats.generated_tokens}, {"predicted_ms", stats.decode_ms},
            {"predicted_per_second", per_second}};
}

const char* finish_reason(const Answer& answer) { return answer.finish() == FinishReason::kLength ? "length" : "stop"; }

json chunk_of(const std::string& id, int64_t created, const std::string& model, json choices) {
    return {{"id", id}, {"object", "chat.completion.chunk"}, {"created", created}, {"model", model}, {"choices", std::move(choices)}};
}

json choice_of(json delta, json reason) {
    return json::array({json{{"index", 0}, {"delta", std::move(delta)}, {"logprobs", nullptr}, {"finish_reason", std::move(reason)}}});
}

std::string event(const json& value) { return "data: " + json_text(value) + "\n\n"; }

}  // namespace

ChatResponse::ChatResponse(std::string model)
    : model_(std::move(model)),
      id_(random_id()),
      created_(std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count()) {}

std::string ChatResponse::whole(const Answer& answer, const std::string& text) const {
    const RequestStats stats = answer.stats();
    const json message{{"role", "assistant"}, {"content", text}, {"refusal", nullptr}};
    const json choice{{"index", 0}, {"message", message}, {"logprobs", nullptr}, {"finish_reason", finish_reason(answer)}};
    return json_text({{"id", id_},
                      {"object", "chat.completion"},
                      {"created", created_},
                      {"model", model_},
                      {"choices", json::array({choice})},
                      {"usage", usage_of(stats)},
                      {"timings", timings_of(stats)},
                      {"context_full", answer.context_full()}});
}

std::string ChatResponse::first_event() const {
    return event(chunk_of(id_, created_, model_, choice_of({{"role", "assistant"}, {"content", ""}}, nullptr)));
}

std::string ChatResponse::text_event(std::string_view text) const {
    return event(chunk_of(id_, created_, model_, choice_of({{"content", text}}, nullptr)));
}

std::string ChatResponse::last_event(const Answer& answer) const {
    json chunk = chunk_of(id_, created_, model_, choice_of(json::object(), finish_reason(answer)));
    chunk["timings"] = timings_of(answer.stats());
    chunk["context_full"] = answer.context_full();
    return event(chunk);
}

std::string ChatResponse::usage_event(const Answer& answer) const {
    json chunk = chunk_of(id_, created_, model_, json::array());
    chunk["usage"] = usage_of(answer.stats());
    return event(chunk);
}

}  // namespace hearth
