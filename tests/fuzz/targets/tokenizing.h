// What every tokenizer must do with every text, for the targets that load one.
#pragma once

#include <set>
#include <string_view>

#include "base/utf8.h"
#include "loaders/tokenizer/tokenizer.h"
#include "tests/fuzz/cost.h"
#include "tests/fuzz/target.h"

namespace hearth::fuzz {

inline constexpr std::string_view kSampleText = "Hello  wörld 123<s>\xF0\x9F\x98\x80\xFF\n\t a\xCC\x81</s> [INST]";

/// `text` as a vocabulary of the kind RoundTrip::kSanitizedText gives it back.
inline std::string sanitized_text(std::string_view text) {
    constexpr std::string_view kMark = "\xE2\x96\x81";
    const std::string clean = sanitize_utf8(text);
    std::string out;
    for (size_t at = 0; at < clean.size();) {
        const bool mark = clean.compare(at, kMark.size(), kMark) == 0;
        out += mark ? ' ' : clean[at];
        at += mark ? kMark.size() : 1;
    }
    return out;
}

/// Encoding takes time in proportion to the text. The slowest that is expected of any tokenizer is 30 us a byte (the sentencepiece library
/// takes 3, a sanitizer ten times that); ten times as much is a finding.
inline void require_time(const ThreadTime& time, size_t bytes) {
    require(time.seconds() <= 1 + 300e-6 * static_cast<double>(bytes), "encoding takes time in proportion to the text");
}

/// Ids lie within the vocabulary, plain text draws no special token that it spells, streamed text is UTF-8, and the text comes back as the
/// tokenizer promises. `unknown`: what characters become that are in no token. Returns the ids.
inline std::vector<int32_t> check_tokenizer(const Tokenizer& tokenizer, std::string_view text, int32_t unknown = -1) {
    const ThreadTime time;
    std::vector<int32_t> ids = tokenizer.encode_plain(text);
    require_time(time, text.size());
    TextDecoder decoder(tokenizer, false, true);
    std::string streamed;
    std::set<int32_t> written;  // special tokens whose text stands in `text`, but for what unknown characters become
    for (const SpecialToken& special : tokenizer.specials()) {
        if (text.find(special.text) != text.npos) written.insert(special.id);
    }
    written.erase(unknown);
    for (const int32_t id : ids) {
        require(id >= 0 && id < tokenizer.vocab_size(), "ids lie within the vocabulary");
        require(!written.contains(id), "a special token is not recognised in a person's text");
        const std::string piece = decoder.push(id);
        require(is_utf8(piece), "streamed text is UTF-8");
        streamed += piece;
    }
    streamed += decoder.finish();
    const std::string back = tokenizer.decode(ids);
    require(streamed == sanitize_utf8(back), "a streamed text is the text that comes back at once");
    if (tokenizer.round_trip() == RoundTrip::kBytes) require(back == text, "decode(encode(text)) is text");
    if (tokenizer.round_trip() == RoundTrip::kSanitizedText)
        require(back == sanitized_text(text), "decode(encode(text)) is text, sanitised");
    return ids;
}

}  // namespace hearth::fuzz
