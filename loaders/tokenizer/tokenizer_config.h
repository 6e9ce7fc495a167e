// tokenizer_config.json and its older companions.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "loaders/tokenizer/added_tokens.h"
#include "loaders/tokenizer/vocabulary.h"

namespace hearth {

/// What the folder says beside the vocabulary; absent fields are not set.
struct TokenizerConfig {
    std::string file;                     // where it was read, for errors; "" when there is none
    std::optional<std::string> bos, eos;  // their texts
    std::optional<bool> add_bos;          // plain text begins with bos
    std::optional<bool> add_prefix_space;
    std::optional<bool>
        legacy;  // SentencePiece: every stretch between special tokens gets a prefix space, not just the first; absent: so it is
    std::vector<AddedToken> added;
};

/// Reads tokenizer_config.json, special_tokens_map.json (for bos and eos
/// that the first leaves out) and added_tokens.json. Each may be absent.
TokenizerConfig read_tokenizer_config(const std::filesystem::path& folder);

/// One entry of added_tokens or added_tokens_decoder.
AddedToken parse_added_token(const nlohmann::json& entry, int64_t id, const std::string& where);

/// Adds the tokens of `config` that the vocabulary lacks, and settles bos,
/// eos and whether bos is added: config first, else what `vocabulary` says.
void apply_config(Vocabulary& vocabulary, const TokenizerConfig& config);

}  // namespace hearth
