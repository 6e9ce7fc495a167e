#include "perf/serve/load/prompt_file.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "loaders/io/json_file.h"
#include "perf/results/fields.h"

namespace hearth::perf {

namespace {

using Turns = std::vector<std::vector<Message>>;

Message message_at(const Json& value, const std::string& where) {
    const Place place = object_at(value, where);
    const auto text = [&](const char* key) {
        const Json* found = place.find(key);
        if (found == nullptr || !found->is_string()) place.refuse(key, "text", found == nullptr ? Json() : *found);
        return found->get<std::string>();
    };
    return {text("role"), text("content")};
}

Turns turns_of(const std::vector<Message>& messages, int64_t turns, const std::string& where) {
    if (turns == 1) return {messages};
    Turns out;
    std::vector<Message> open;
    for (const Message& message : messages) {
        if (message.role == "assistant") continue;
        open.push_back(message);
        if (message.role != "user") continue;
        out.push_back(std::move(open));
        open.clear();
        if (std::ssize(out) == turns) break;
    }
    if (out.empty()) throw Error(ErrorKind::kBadInput, cat(where, ": expected a message of role \"user\", found none"));
    return out;
}

Turns line_turns(const std::string& line, const std::string& where, int64_t turns) {
    const Json value = parse_json(line, where);
    if (value.is_string()) return {{{"user", value.get<std::string>()}}};
    const Place place = object_at(value, where);
    if (const Json* prompt = place.find("prompt"); prompt != nullptr) {
        if (!prompt->is_string()) place.refuse("prompt", "text", *prompt);
        return {{{"user", prompt->get<std::string>()}}};
    }
    const Json* list = place.find("messages");
    if (list == nullptr || !list->is_array() || list->empty())
        place.refuse("messages", "a list of messages (or text as \"prompt\")", list == nullptr ? Json() : *list);
    std::vector<Message> messages;
    for (const Json& each : *list) messages.push_back(message_at(each, cat(where, ": messages[", messages.size(), "]")));
    return turns_of(messages, turns, where);
}

}  // namespace

std::vector<Turns> parse_prompts(const std::string& text, const std::string& name, int64_t turns) {
    std::vector<Turns> out;
    int64_t number = 0;
    for (const std::string& line : split(text, '\n')) {
        ++number;
        if (!trim(line).empty()) out.push_back(line_turns(line, cat(name, ":", number), turns));
    }
    if (out.empty()) throw Error(ErrorKind::kBadInput, cat(name, ": expected a prompt a line, found none"));
    return out;
}

std::vector<Turns> read_prompts(const std::string& path, int64_t turns) {
    return parse_prompts(read_small_file(path, kMostPromptFileBytes), path, turns);
}

}  // namespace hearth::perf
