#include "perf/serve/client/chunk.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "loaders/io/json_file.h"
#include "perf/results/fields.h"

namespace hearth::perf {

namespace {

constexpr size_t kShown = 160;

/// Text or nothing; null and "" are nothing.
std::string text_at(const Place& place, const char* key) {
    const Json* value = place.find(key);
    if (value == nullptr) return "";
    if (!value->is_string()) place.refuse(key, "text", *value);
    return value->get<std::string>();
}

std::optional<int64_t> count_at(const Place& place, const char* key) {
    if (place.find(key) == nullptr) return std::nullopt;
    return place.whole(key, 0);
}

Usage usage_of(const Place& chunk) {
    Usage out;
    if (const Json* value = chunk.find("usage"); value != nullptr) {
        const Place usage = object_at(*value, "usage");
        out.prompt = count_at(usage, "prompt_tokens");
        out.completion = count_at(usage, "completion_tokens");
        if (const Json* details = usage.find("prompt_tokens_details"); details != nullptr)
            out.cached = count_at(object_at(*details, "prompt_tokens_details"), "cached_tokens");
    }
    if (const Json* timings = chunk.find("timings"); timings != nullptr && timings->is_object() && !out.cached)
        out.cached = count_at(object_at(*timings, "timings"), "cache_n");
    return out;
}

/// The message of `{"error": {"message"}}`, `{"error": "text"}`, `{"message"}`; nothing where there is none.
std::optional<std::string> error_in(const Json& value, bool is_error) {
    if (!value.is_object()) return is_error ? std::optional(shown(value)) : std::nullopt;
    const auto error = value.find("error");
    if (error != value.end() && !error->is_null()) {
        if (error->is_string()) return printable(error->get_ref<const std::string&>(), kShown);
        return error_in(*error, true);
    }
    if (!is_error) return std::nullopt;
    const auto message = value.find("message");
    if (message != value.end() && message->is_string()) return printable(message->get_ref<const std::string&>(), kShown);
    return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace), kShown);
}

void read_choice(const Place& choice, Chunk& out) {
    out.finished = choice.find("finish_reason") != nullptr;
    out.text = text_at(choice, "text");
    out.has_content = !out.text.empty();
    const Json* value = choice.find("delta");
    if (value == nullptr) return;
    const Place delta = object_at(*value, "delta");
    out.text += text_at(delta, "content");
    const Json* calls = delta.find("tool_calls");
    out.has_content = !out.text.empty() || !text_at(delta, "reasoning_content").empty() || !text_at(delta, "reasoning").empty() ||
                      (calls != nullptr && calls->is_array() && !calls->empty());
}

}  // namespace

Chunk read_chunk(const SseEvent& event) {
    Chunk out;
    if (event.data == "[DONE]") return out.done = true, out;
    const Json value = parse_json(event.data, "chunk");
    out.error = error_in(value, event.name == "error");
    if (out.error) return out;
    const Place chunk = object_at(value, "chunk");
    out.usage = usage_of(chunk);
    const Json* choices = chunk.find("choices");
    if (choices == nullptr) return out;
    if (!choices->is_array()) chunk.refuse("choices", "a list", *choices);
    for (const Json& each : *choices) {
        const Place choice = object_at(each, "choice");
        if (choice.whole("index", 0) == 0) read_choice(choice, out);
    }
    return out;
}

std::string error_text(const std::string& body) {
    try {
        return error_in(parse_json(body, "answer"), true).value_or("");
    } catch (const Error&) {
        return printable(trim(body), kShown);
    }
}

}  // namespace hearth::perf
