// Text to token ids and back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

/// A piece of text with one origin. Special tokens are recognised only where every byte of them is template text.
struct TextSpan {
    std::string text;
    bool trusted = false;  // template text, role names, bos and eos strings: true; what a person or a page wrote: false
};

/// One token whose text stands for itself in a rendered template. Added tokens that are ordinary words of the vocabulary (runs of spaces,
/// say) are none: they are found in any text.
struct SpecialToken {
    int32_t id = -1;
    std::string text;
    bool control = true;                  // "special": not shown to people when decoded
    bool lstrip = false, rstrip = false;  // takes the white space beside it along
};

/// What a vocabulary promises about decode(encode(text)).
enum class RoundTrip : uint8_t {
    kBytes,          // the same bytes, whatever they are
    kSanitizedText,  // the text with U+FFFD for what is not UTF-8, and a space for U+2581, which such vocabularies write for a space
    kUpToUnknown,    // only what the vocabulary knows and its normaliser leaves alone
};

/// A vocabulary. Immutable: any thread may use it.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;

    virtual std::string_view kind() const = 0;  // "sentencepiece", "tiktoken", "tekken", "tokenizer.json"
    virtual int32_t vocab_size() const = 0;     // ids are in [0, vocab_size)
    virtual const std::vector<SpecialToken>& specials() const = 0;
    virtual std::optional<int32_t> bos() const = 0;
    virtual std::optional<int32_t> eos() const = 0;
    virtual bool adds_bos() const = 0;  // plain text (no template) gets a bos in front
    virtual RoundTrip round_trip() const = 0;

    /// Ids of `spans`, read as one string: what lies between special tokens is encoded as a whole across span borders. No bos is added.
    /// Any bytes are accepted. Time is linear in the text, but for the sentencepiece library's own.
    virtual std::vector<int32_t> encode(const std::vector<TextSpan>& spans) const = 0;

    /// `text` as plain text: no special token is recognised, no bos added.
    std::vector<int32_t> encode_plain(std::string_view text) const { return encode({{std::string(text), false}}); }

    /// The bytes of one token in the middle of a text; control tokens give their text if `show_special`, else nothing. Ids outside the
    /// vocabulary give nothing.
    virtual std::string token_bytes(int32_t id, bool show_special = false) const = 0;

    /// The whole text. Drops the prefix space that encoding added. Bytes that are not UTF-8 stay as they are.
    virtual std::string decode(const std::vector<int32_t>& ids, bool show_special = false) const = 0;

    /// What `hearth tokenize` prints: the id's entry in the vocabulary.
    virtual std::string token_name(int32_t id) const = 0;

    std::optional<int32_t> find_special(std::string_view text) const;
};

/// Decodes an answer token by token, never splitting a character. One per answer.
class TextDecoder {
public:
    /// `prompt_is_empty`: the first token begins a text (its prefix space is dropped) rather than going on with one.
    explicit TextDecoder(const Tokenizer& tokenizer, bool show_special = false, bool prompt_is_empty = false);

    /// Valid UTF-8 that can be shown after `id`; may be empty while a character is incomplete. Invalid bytes become U+FFFD.
    std::string push(int32_t id);

    /// What was held back; an incomplete character becomes U+FFFD.
    std::string finish();

private:
    const Tokenizer& tokenizer_;
    std::string pending_;
    bool show_special_, at_start_;
};

/// Opens the tokenizer of a checkpoint folder: tokenizer.json, tekken.json, or tokenizer.model (SentencePiece or tiktoken text), with
/// tokenizer_config.json where there is one. Where several stand side by side the first encodes and they must agree, else Error; one that
/// cannot be read beside it is left aside. Lines about what was left aside are added to `notices`. Every file is hostile until
/// checked. Throws Error{kNotFound} naming the files that were looked for, Error{kBadInput, kUnsupported} naming file and field.
std::shared_ptr<const Tokenizer> open_tokenizer(const std::filesystem::path& folder, std::vector<std::string>* notices = nullptr);

/// One file, by its content: for tests and vectors.
std::shared_ptr<const Tokenizer> open_tokenizer_file(const std::filesystem::path& file);

}  // namespace hearth
