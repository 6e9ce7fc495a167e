#include "loaders/tokenizer/tokenizer_config.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "loaders/io/json_file.h"
#include "loaders/io/model_files.h"
#include "loaders/tokenizer/json_fields.h"

namespace hearth {

namespace {

using nlohmann::json;

constexpr int64_t kMaxConfigBytes = 64 << 20;  // chat templates live in here

/// "bos_token": a string, an object with "content", or null.
std::optional<std::string> token_text(const json& object, const char* key, const std::string& where) {
    const json* value = fields::find(object, key, where);
    if (!value) return std::nullopt;
    if (value->is_object()) return fields::string(*value, "content", cat(where, ": ", key));
    return fields::string(object, key, where);
}

int64_t parse_id(const std::string& text, const std::string& where) {
    int64_t id = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw Error(ErrorKind::kBadInput, cat(where, ": \"", printable(text, 40), "\" is not a token id"));
    }
    return id;
}

void read_added(TokenizerConfig& config, const json& root) {
    const json* decoder = fields::object(root, "added_tokens_decoder", config.file);
    if (!decoder) return;
    const std::string where = config.file + ": added_tokens_decoder";
    for (const auto& [key, entry] : decoder->items()) config.added.push_back(parse_added_token(entry, parse_id(key, where), where));
    std::sort(config.added.begin(), config.added.end(), [](const AddedToken& a, const AddedToken& b) { return a.token.id < b.token.id; });
}

/// {"<|im_start|>": 32000, ...}: older checkpoints list what they added here, and say no more about it.
void read_added_tokens_json(TokenizerConfig& config, const std::filesystem::path& file) {
    const json root = read_json_object(file, kMaxConfigBytes);
    for (const auto& [text, id] : root.items()) {
        const bool known =
            std::any_of(config.added.begin(), config.added.end(), [&, &name = text](const AddedToken& a) { return a.token.text == name; });
        if (known) continue;
        const int64_t number = fields::required(fields::integer(root, text.c_str(), file.string()), text.c_str(), file.string());
        check_token_id(number, kMaxVocabulary, file.string());
        AddedToken token;
        token.token = {.id = static_cast<int32_t>(number), .text = text, .control = looks_like_markup(text)};
        token.anywhere = !token.token.control;
        config.added.push_back(std::move(token));
    }
}

}  // namespace

AddedToken parse_added_token(const json& entry, int64_t id, const std::string& where) {
    check_token_id(id, kMaxVocabulary, where);
    AddedToken out;
    out.token.id = static_cast<int32_t>(id);
    out.token.text = fields::required(fields::string(entry, "content", where), "content", where);
    out.token.control = fields::boolean(entry, "special", where).value_or(false);
    out.token.lstrip = fields::boolean(entry, "lstrip", where).value_or(false);
    out.token.rstrip = fields::boolean(entry, "rstrip", where).value_or(false);
    out.single_word = fields::boolean(entry, "single_word", where).value_or(false);
    out.normalized = fields::boolean(entry, "normalized", where).value_or(!out.token.control);
    out.anywhere = !out.token.control && !looks_like_markup(out.token.text);
    return out;
}

TokenizerConfig read_tokenizer_config(const std::filesystem::path& folder) {
    TokenizerConfig config;
    if (const auto file = folder / "tokenizer_config.json"; model_file_exists(file)) {
        const json root = read_json_object(file, kMaxConfigBytes);
        config.file = file.string();
        config.bos = token_text(root, "bos_token", config.file);
        config.eos = token_text(root, "eos_token", config.file);
        config.add_bos = fields::boolean(root, "add_bos_token", config.file);
        config.add_prefix_space = fields::boolean(root, "add_prefix_space", config.file);
        config.legacy = fields::boolean(root, "legacy", config.file);
        read_added(config, root);
    }
    if (const auto file = folder / "special_tokens_map.json"; (!config.bos || !config.eos) && model_file_exists(file)) {
        const json root = read_json_object(file, kMaxConfigBytes);
        if (config.file.empty()) config.file = file.string();
        if (!config.bos) config.bos = token_text(root, "bos_token", file.string());
        if (!config.eos) config.eos = token_text(root, "eos_token", file.string());
    }
    if (const auto file = folder / "added_tokens.json"; model_file_exists(file)) {
        if (config.file.empty()) config.file = file.string();
        read_added_tokens_json(config, file);
    }
    return config;
}

void apply_config(Vocabulary& vocabulary, const TokenizerConfig& config) {
    for (const AddedToken& token : config.added) vocabulary.add(token, config.file);
    const auto id_of = [&](const std::optional<std::string>& text, std::optional<int32_t> otherwise) {
        if (!text || text->empty()) return otherwise;
        if (const auto id = vocabulary.find_added(*text)) return id;
        const auto entry =
            std::find_if(vocabulary.entries.begin(), vocabulary.entries.end(), [&](const VocabularyEntry& e) { return e.name == *text; });
        if (entry == vocabulary.entries.end()) return otherwise;
        return std::optional(static_cast<int32_t>(entry - vocabulary.entries.begin()));
    };
    vocabulary.bos = id_of(config.bos, vocabulary.bos);
    vocabulary.eos = id_of(config.eos, vocabulary.eos);
    vocabulary.adds_bos = config.add_bos.value_or(vocabulary.adds_bos) && vocabulary.bos.has_value();
}

}  // namespace hearth
