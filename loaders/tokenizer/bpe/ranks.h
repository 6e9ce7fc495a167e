// Vocabularies that are a list of byte strings, whose place is also the order of merging: tiktoken's text and Mistral's tekken.json.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loaders/tokenizer/tokenizer_config.h"
#include "loaders/tokenizer/vocabulary.h"

namespace hearth {

/// Strict base64 with padding, or nothing.
std::optional<std::string> decode_base64(std::string_view text);

/// A BPE encoder of `words`: word i has rank i and id `first_id` + i. Throws Error naming `file` where a word is empty or stands twice.
std::unique_ptr<const TextEncoder> make_rank_encoder(const std::vector<std::string>& words, int32_t first_id, std::string_view pattern,
                                                     const std::string& file);

/// Appends `words` to the entries, and says how far texts come back.
void add_rank_entries(Vocabulary& vocabulary, const std::vector<std::string>& words);

/// Llama 3's original tokenizer.model: lines "base64 rank". The file does not say which pattern and special tokens go with it: Llama 3's.
std::shared_ptr<const VocabularyTokenizer> load_tiktoken(std::string_view text, const std::string& file, const TokenizerConfig& config);

/// Whether `text` looks like tiktoken's.
bool is_tiktoken(std::string_view text);

/// Mistral's tekken.json: ids of words begin after the special tokens, and words past the stated vocabulary are not used.
std::shared_ptr<const VocabularyTokenizer> load_tekken(std::string_view text, const std::string& file, const TokenizerConfig& config);

}  // namespace hearth
