#include "loaders/tokenizer/bpe/bpe_encoder.h"

#include <unordered_set>

#include "base/utf8.h"

namespace hearth {

BpeEncoder::BpeEncoder(Normalizer normalizer, PreTokenizer pre_tokenizer, BpeModel model, const std::vector<AddedToken>& words)
    : normalizer_(std::move(normalizer)), pre_tokenizer_(std::move(pre_tokenizer)), model_(std::move(model)) {
    std::string with = "x", without = "x";
    normalize(with, true);
    normalize(without, false);
    if (with.ends_with(without)) prefix_ = with.substr(0, with.size() - without.size());
    if (!words.empty()) words_ = normalized_words(*this, words);
}

void BpeEncoder::normalize(std::string& text, bool with_prefix) const {
    const size_t from = text.size();
    for (const auto& step : normalizer_) {
        if (with_prefix || !step->prepends()) step->apply(text, from);
    }
}

/// The reference puts the prefix in front of a word too before it looks for it, so that it finds it where the prefix or a space stands
/// before it, and takes that along. We look for both spellings: the word behind another one is meant as well.
AddedTokens BpeEncoder::normalized_words(const BpeEncoder& encoder, const std::vector<AddedToken>& words) {
    std::vector<AddedToken> out;
    std::unordered_set<std::string> seen;
    for (const bool with_prefix : {true, false}) {
        for (const AddedToken& word : words) {
            AddedToken made = word;
            made.left_to_encoder = false;
            encoder.normalize(made.token.text, with_prefix);
            if (!made.token.text.empty() && seen.insert(made.token.text).second) out.push_back(std::move(made));
        }
    }
    return AddedTokens(std::move(out));
}

/// A special token with `normalized` lies, for the reference, within one normalised text: the prefix stands before the whole of it, not
/// before what follows the token, and the token takes along a prefix that stands right before it.
std::string BpeEncoder::normalize_stretch(std::string_view text, const TextPlace& place) const {
    std::string out =
        model_.byte_level ? std::string(text) : sanitize_utf8(text);  // characters need valid text; bytes are kept as they are
    normalize(out, !place.after_normalized);
    if (place.before_normalized && !prefix_.empty() && out.ends_with(prefix_)) out.resize(out.size() - prefix_.size());
    return out;
}

void BpeEncoder::encode(std::string_view text, const TextPlace& place, std::vector<int32_t>& out) const {
    encode_counting(text, place, out);
}

int64_t BpeEncoder::encode_counting(std::string_view text, const TextPlace& place, std::vector<int32_t>& out) const {
    std::string rewritten;
    if (!model_.byte_level || !normalizer_.empty()) {
        rewritten = normalize_stretch(text, place);
        text = rewritten;
    }
    MergeScratch scratch;
    if (words_.tokens().empty()) {
        encode_pieces(text, place.at_start, scratch, out);
        return scratch.steps;
    }
    for (const AddedTokens::Segment& segment : words_.cut(text, {})) {
        if (segment.token >= 0) {
            out.push_back(segment.token);
        } else {
            encode_pieces(text.substr(segment.begin, segment.end - segment.begin), place.at_start && segment.begin == 0, scratch, out);
        }
    }
    return scratch.steps;
}

void BpeEncoder::encode_pieces(std::string_view text, bool at_start, MergeScratch& scratch, std::vector<int32_t>& out) const {
    if (text.empty()) return;
    std::vector<int32_t> symbols;
    pre_tokenizer_.run(text, at_start, [&](std::string_view pieces, const std::vector<size_t>& ends) {
        size_t begin = 0;
        for (const size_t end : ends) {
            model_.encode_word(pieces.substr(begin, end - begin), out, scratch, symbols);
            begin = end;
        }
    });
}

}  // namespace hearth
