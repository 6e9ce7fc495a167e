// Tokens that are found in the text before anything else looks at it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loaders/tokenizer/tokenizer.h"

namespace hearth {

/// A token that stands for one exact text.
struct AddedToken {
    SpecialToken token;
    bool single_word = false;      // only where no letter, digit or '_' touches it
    bool anywhere = false;         // an ordinary word of the vocabulary (runs of spaces, say): also found in what a person wrote
    bool normalized = false;       // as its file says: the reference looks for its normalised text in the normalised text
    bool left_to_encoder = false;  // not found here: the encoder looks for it once it has normalised the text
};

/// Whether a token that its file does not call special looks like one all the
/// same: "<tool_call>", "[REF]". Those are not for people to write either.
bool looks_like_markup(std::string_view text);

/// Finds added tokens: at each place the longest, from left to right. Immutable.
class AddedTokens {
public:
    AddedTokens() = default;
    /// Texts are not empty and differ. Those that are left to the encoder are in tokens() and never found.
    explicit AddedTokens(std::vector<AddedToken> tokens);

    struct Segment {
        size_t begin = 0, end = 0;  // bytes of the text
        int32_t token = -1;         // the added token that stands here; -1: plain text, not empty
        bool normalized = false;    // of that token
    };

    /// Cuts `text`. `trusted` holds the ranges of trusted bytes, ascending, not touching each other. Time: bytes of the text times the
    /// length of the longest token that begins like them.
    std::vector<Segment> cut(std::string_view text, const std::vector<std::pair<size_t, size_t>>& trusted) const;

    const std::vector<AddedToken>& tokens() const { return tokens_; }

private:
    struct Node {
        std::vector<std::pair<unsigned char, int32_t>> children;  // ascending by byte
        int32_t token = -1;                                       // index into tokens_
    };

    int32_t child(int32_t node, unsigned char byte) const;
    int32_t longest_at(std::string_view text, size_t at, size_t trusted_end) const;
    void widen(std::string_view text, const AddedToken& token, size_t floor, size_t& begin, size_t& end) const;

    std::vector<AddedToken> tokens_;
    std::vector<Node> nodes_;
    std::vector<bool> first_, first_anywhere_;  // [256] bytes that some token begins with
    bool any_anywhere_ = false;
};

}  // namespace hearth
