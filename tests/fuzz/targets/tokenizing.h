// What every tokenizer must do with every text, for the targets that load one.
#pragma once

#include <set>
#include <string_view>

#include "base/utf8.h"
#include "loaders/tokenizer/tokenizer.h"
#include "tests/fuzz/target.h"

namespace hearth::fuzz {

inline constexpr std::string_view kSampleText = "Hello  wörld 123<s>\xF0\x9F\x98\x80\xFF\n\t a\xCC\x81</s> [INST]";

/// Ids lie within the vocabulary, plain text draws no special token, streamed text is UTF-8.
inline void check_tokenizer(const Tokenizer& tokenizer, std::string_view text) {
    const std::vector<int32_t> ids = tokenizer.encode_plain(text);
    TextDecoder decoder(tokenizer, false, true);
    std::set<int32_t> written;  // special tokens whose text stands in `text`
    for (const SpecialToken& special : tokenizer.specials()) {
        if (text.find(special.text) != text.npos) written.insert(special.id);
    }
    for (const int32_t id : ids) {
        require(id >= 0 && id < tokenizer.vocab_size(), "ids lie within the vocabulary");
        require(!written.contains(id), "a special token is not recognised in a person's text");
        require(is_utf8(decoder.push(id)), "streamed text is UTF-8");
    }
    require(is_utf8(decoder.finish()), "the end of a streamed text is UTF-8");
    const std::string back = tokenizer.decode(ids);
    if (tokenizer.round_trip() == RoundTrip::kBytes) require(back == text, "decode(encode(text)) is text");
}

}  // namespace hearth::fuzz
