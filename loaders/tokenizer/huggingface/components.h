// The parts of a tokenizer.json, each from its JSON. What we do not know is refused by name.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "loaders/tokenizer/bpe/bpe_encoder.h"

namespace hearth {

/// "normalizer". `node` may be null.
struct ParsedNormalizer {
    Normalizer steps;
    bool prepends = false;  // puts a text in front of every stretch of text
    bool rewrites = false;  // changes more than what the decoder undoes: normal forms, patterns
};
ParsedNormalizer parse_normalizer(const nlohmann::json* node, const std::string& file);

/// "pre_tokenizer". `node` may be null.
struct ParsedPreTokenizer {
    PreTokenizer steps;
    bool byte_level = false;  // ends in bytes
    bool prepends = false;
    bool removes = false;  // drops what it splits at
};
/// `add_prefix_space` overrules a ByteLevel that stands alone.
ParsedPreTokenizer parse_pre_tokenizer(const nlohmann::json* node, std::optional<bool> add_prefix_space, const std::string& file);

/// "decoder". What one token means, and what happens to a whole text.
struct ParsedDecoder {
    bool byte_level = false, byte_fallback = false;
    std::vector<std::pair<std::string, std::string>> replaces;
    bool drops_prefix_space = false;
};
/// Without a node: byte level if `byte_level`, else as written.
ParsedDecoder parse_decoder(const nlohmann::json* node, bool byte_level, const std::string& file);

/// The bytes of the token spelt `token`. Throws Error naming `file` where they are more than kMaxDecodedGrowth times as many.
std::string decode_token(const ParsedDecoder& decoder, const std::string& token, const std::string& file);

/// "model": BPE.
struct ParsedModel {
    BpeModel model;
    std::vector<std::string> tokens;  // by id; empty: none
};
/// No text leads to a token of `special`: not as a character, a byte, a whole word or by merging. Only what is unknown may become one.
ParsedModel parse_bpe_model(const nlohmann::json& node, bool byte_level, const std::unordered_set<int32_t>& special,
                            const std::string& file);

}  // namespace hearth
