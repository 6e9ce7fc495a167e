// The places where a checkpoint folder keeps its chat template.
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "chat/template/chat_template.h"
#include "loaders/io/json_file.h"
#include "loaders/io/model_files.h"

namespace hearth {
namespace {

constexpr int64_t kMaxTemplateBytes = 1 << 20, kMaxConfigBytes = 64 << 20;

constexpr const char* kTemplateFile = "chat_template.jinja";
constexpr const char* kConfigFile = "tokenizer_config.json";

/// Errors name the file.
FoundTemplate parsed(const std::filesystem::path& file, const std::string& origin, std::string_view source) {
    try {
        return {ChatTemplate::parse(source), origin};
    } catch (const Error& error) {
        throw Error(error.kind(), cat(file.string(), ": ", error.what()));
    }
}

/// The source within tokenizer_config.json's "chat_template"; null when there is none.
const std::string* source_in(const nlohmann::json& config, const std::filesystem::path& file, bool with_tools) {
    const auto found = config.find("chat_template");
    if (found == config.end() || found->is_null()) return nullptr;
    if (found->is_string()) return &found->get_ref<const std::string&>();
    if (!found->is_array()) {
        throw Error(ErrorKind::kBadInput,
                    cat(file.string(), ": chat_template: expected a string or a list of named ones, found ", found->type_name()));
    }
    const std::string* chosen = nullptr;
    for (const auto& each : *found) {
        const bool named = each.is_object() && each.contains("name") && each["name"].is_string() && each.contains("template") &&
                           each["template"].is_string();
        if (!named)
            throw Error(ErrorKind::kBadInput,
                        cat(file.string(), ": chat_template: expected objects with a name and a template, both strings"));
        const auto& name = each["name"].get_ref<const std::string&>();
        const bool wanted = name == "default" || (with_tools && name == "tool_use");
        if (wanted && !(chosen && name == "default")) chosen = &each["template"].get_ref<const std::string&>();
    }
    if (!chosen)
        throw Error(ErrorKind::kBadInput,
                    cat(file.string(), ": chat_template: ", found->size(), " templates, none of them named 'default'"));
    return chosen;
}

}  // namespace

std::optional<FoundTemplate> find_template(const std::filesystem::path& folder, bool with_tools) {
    const auto file = folder / kTemplateFile, config_file = folder / kConfigFile;
    if (model_file_exists(file)) return parsed(file, kTemplateFile, read_small_file(file, kMaxTemplateBytes));
    if (!model_file_exists(config_file)) return std::nullopt;
    const nlohmann::json config = read_json_object(config_file, kMaxConfigBytes);
    const std::string* source = source_in(config, config_file, with_tools);
    if (!source) return std::nullopt;
    return parsed(config_file, kConfigFile, *source);
}

}  // namespace hearth
