#include "chat/api/chat_request.h"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "chat/api/api_error.h"
#include "chat/api/fields.h"
#include "chat/api/unserved_fields.h"

namespace hearth {
namespace {

using nlohmann::json;

std::string read_part(const json& part, const std::string& where) {
    if (!part.is_object()) throw ApiError(400, cat(where, " must be an object with a type, not ", describe(part)), where, "invalid_type");
    const Fields fields(part, where + ".");
    const auto type = fields.text("type", 64);
    if (type != "text") {
        throw ApiError(
            400,
            cat(where, ".type must be \"text\": only text can be read here, not ", type ? cat('"', printable(*type, 40), '"') : "nothing"),
            where, "unsupported_content");
    }
    const json* text = fields.find("text");
    if (!text || !text->is_string()) throw ApiError(400, cat(where, ".text must be a string"), where, "invalid_type");
    return text->get<std::string>();
}

std::string read_content(const json* content, const std::string& role, const std::string& where) {
    if (!content) {
        if (role == "assistant") return "";  // an answer that was a tool call, or cut before its first word
        throw ApiError(400, cat(where, ".content is missing"), cat(where, ".content"), "missing");
    }
    if (content->is_string()) return content->get<std::string>();
    if (!content->is_array()) {
        throw ApiError(400, cat(where, ".content must be a string or a list of parts, not ", describe(*content)), cat(where, ".content"),
                       "invalid_type");
    }
    std::string out;
    for (size_t i = 0; i < content->size(); ++i) out += read_part((*content)[i], cat(where, ".content[", i, ']'));
    return out;
}

Message read_message(const json& message, size_t index) {
    const std::string where = cat("messages[", index, ']');
    if (!message.is_object())
        throw ApiError(400, cat(where, " must be an object with role and content, not ", describe(message)), where, "invalid_type");
    const Fields fields(message, where + ".");
    std::string role = fields.text("role", 64).value_or("");
    if (role == "developer") role = "system";
    if (role != "system" && role != "user" && role != "assistant") {
        throw ApiError(400, cat(where, ".role must be system, developer, user or assistant, not \"", printable(role, 40), '"'),
                       cat(where, ".role"), "invalid_value");
    }
    if (const json* calls = fields.find("tool_calls"); calls && !calls->empty()) {
        throw ApiError(400, cat(where, ".tool_calls: tools are not supported"), cat(where, ".tool_calls"), "unsupported");
    }
    return {role, read_content(fields.find("content"), role, where)};
}

std::vector<Message> read_messages(const Fields& fields) {
    const json* list = fields.find("messages");
    if (!list) throw ApiError(400, "messages is missing", "messages", "missing");
    if (!list->is_array()) throw ApiError(400, cat("messages must be a list, not ", describe(*list)), "messages", "invalid_type");
    if (list->empty()) throw ApiError(400, "messages is empty", "messages", "out_of_range");
    if (list->size() > kMaxMessages) {
        throw ApiError(400, cat("messages has ", list->size(), " entries, at most ", kMaxMessages, " are taken"), "messages",
                       "out_of_range");
    }
    std::vector<Message> out;
    for (size_t i = 0; i < list->size(); ++i) out.push_back(read_message((*list)[i], i));
    return out;
}

std::vector<std::string> read_stops(const Fields& fields) {
    const json* stop = fields.find("stop");
    if (!stop || *stop == "") return {};
    const json list = stop->is_array() ? *stop : json::array({*stop});
    if (list.size() > kMaxStops)
        throw ApiError(400, cat("stop has ", list.size(), " texts, at most ", kMaxStops, " are taken"), "stop", "out_of_range");
    std::vector<std::string> out;
    for (const json& text : list) {
        if (!text.is_string())
            throw ApiError(400, cat("stop must be a string or a list of strings, not ", describe(text)), "stop", "invalid_type");
        out.push_back(text.get<std::string>());
        if (out.back().empty() || out.back().size() > kMaxStopBytes) {
            throw ApiError(400, cat("a text of stop must have 1 to ", kMaxStopBytes, " bytes, not ", out.back().size()), "stop",
                           "out_of_range");
        }
    }
    return out;
}

void read_sampling(const Fields& fields, ChatRequest& out) {
    const auto number = [&](const char* name, double low, double high) -> std::optional<float> {
        const auto x = fields.number(name, low, high);
        return x ? std::optional(static_cast<float>(*x)) : std::nullopt;
    };
    out.temperature = number("temperature", 0, 2);
    out.top_p = number("top_p", 0, 1);
    out.min_p = number("min_p", 0, 1);
    out.repetition_penalty = number("repetition_penalty", 0.1, 10);
    out.frequency_penalty = number("frequency_penalty", -2, 2);
    out.presence_penalty = number("presence_penalty", -2, 2);
    if (const auto k = fields.integer("top_k", -1, 1'000'000))
        out.top_k = static_cast<int32_t>(std::max<int64_t>(*k, 0));  // -1: off, as some clients say it
    if (const auto seed = fields.integer("seed", std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max())) {
        out.seed = static_cast<uint64_t>(*seed);
    }
}

void read_lengths(const Fields& fields, ChatRequest& out) {
    for (const char* name : {"max_tokens", "max_completion_tokens"}) {
        if (const json* value = fields.find(name); value && value->is_number() && value->get<double>() == -1)
            continue;  // llama.cpp's default: no limit
        const auto n = fields.integer(name, 1, std::numeric_limits<int32_t>::max());
        if (n && (out.max_tokens < 0 || *n < out.max_tokens)) out.max_tokens = *n;
    }
}

}  // namespace

ChatRequest parse_chat_request(const json& body) {
    const Fields fields(body);
    ChatRequest out;
    out.model = fields.text("model", 1024).value_or("");
    out.messages = read_messages(fields);
    read_sampling(fields, out);
    read_lengths(fields, out);
    out.stop = read_stops(fields);
    out.ignore_eos = fields.boolean("ignore_eos").value_or(false);
    out.stream = fields.boolean("stream").value_or(false);
    if (const json* options = fields.find("stream_options")) {
        if (!options->is_object())
            throw ApiError(400, cat("stream_options must be an object, not ", describe(*options)), "stream_options", "invalid_type");
        out.include_usage = Fields(*options, "stream_options.").boolean("include_usage").value_or(false);
    }
    refuse_unserved_fields(body);
    return out;
}

}  // namespace hearth
