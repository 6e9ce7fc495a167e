// What all kinds of tokenizers share: a table of tokens, the tokens found first, and something that encodes the rest.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "loaders/tokenizer/added_tokens.h"
#include "loaders/tokenizer/tokenizer.h"

namespace hearth {

/// One id.
struct VocabularyEntry {
    std::string name;      // as the file spells it; empty: no token has this id
    std::string bytes;     // what it means in the middle of a text
    bool control = false;  // shown only on demand
};

/// The highest id that is believed, given how many tokens a file lists: holes are normal, but memory is paid by the highest id.
constexpr int64_t kMaxVocabulary = 4'000'000;
/// Throws Error naming `file` unless 0 <= id and the table stays in proportion to `count` tokens.
void check_token_id(int64_t id, size_t count, const std::string& file);

struct Vocabulary {
    std::string kind;
    std::vector<VocabularyEntry> entries;  // [vocab_size]
    std::vector<AddedToken> added;         // filled by add()
    std::optional<int32_t> bos, eos;
    bool adds_bos = false;
    bool drops_prefix_space = false;  // decoding a whole text drops the space that encoding put in front
    RoundTrip round_trip = RoundTrip::kUpToUnknown;

    /// Makes `token` an entry and an added token; one with the same text that is there already is replaced. Throws Error naming `file` when
    /// another text has the id, or another id the text.
    void add(AddedToken token, const std::string& file);

    std::optional<int32_t> find_added(const std::string& text) const;

    /// Whether what a person wrote may be cut at an added token.
    bool cuts_any_text() const;

    /// Whether an added token that is found anywhere takes white space along, which its own text does not give back.
    bool drops_spaces() const;

private:
    std::unordered_map<std::string, size_t> added_by_text_;
};

/// Where a stretch of text stands.
struct TextPlace {
    bool at_start = true;            // nothing stands before it
    bool after_normalized = false;   // an added token with `normalized` stands right before it,
    bool before_normalized = false;  // right behind it
};

/// Encodes text that holds no added token but those that are left to it.
class TextEncoder {
public:
    virtual ~TextEncoder() = default;

    /// Appends the ids of `text`, any bytes, not empty.
    virtual void encode(std::string_view text, const TextPlace& place, std::vector<int32_t>& out) const = 0;
};

/// A tokenizer whose table can be compared with another's.
class VocabularyTokenizer : public Tokenizer {
public:
    VocabularyTokenizer(Vocabulary vocabulary, std::unique_ptr<const TextEncoder> encoder);

    std::string_view kind() const override { return vocabulary_.kind; }
    int32_t vocab_size() const override { return static_cast<int32_t>(vocabulary_.entries.size()); }
    const std::vector<SpecialToken>& specials() const override { return specials_; }
    std::optional<int32_t> bos() const override { return vocabulary_.bos; }
    std::optional<int32_t> eos() const override { return vocabulary_.eos; }
    bool adds_bos() const override { return vocabulary_.adds_bos; }
    RoundTrip round_trip() const override { return vocabulary_.round_trip; }
    std::vector<int32_t> encode(const std::vector<TextSpan>& spans) const override;
    std::string token_bytes(int32_t id, bool show_special) const override;
    std::string decode(const std::vector<int32_t>& ids, bool show_special) const override;
    std::string token_name(int32_t id) const override;

    const Vocabulary& vocabulary() const { return vocabulary_; }

private:
    Vocabulary vocabulary_;  // .added has moved to added_
    AddedTokens added_;
    std::vector<SpecialToken> specials_;
    std::unique_ptr<const TextEncoder> encoder_;
};

}  // namespace hearth
