// A word becomes tokens.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "loaders/tokenizer/bpe/merges.h"

namespace hearth {

/// Lets maps of strings be asked for views.
struct StringHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using TokenIds = std::unordered_map<std::string, int32_t, StringHash, std::equal_to<>>;

/// What a word begins as, and how it merges. Immutable once filled.
struct BpeModel {
    bool byte_level = false;  // symbols are bytes; else characters
    std::array<int32_t, 256>
        byte_ids;                // of a single byte, -1: none. Byte level: the symbols; else: what an unknown character falls back to
    bool byte_fallback = false;  // an unknown character becomes its bytes, if each of them is there
    std::unordered_map<uint32_t, int32_t> char_ids;
    int32_t unknown = -1;       // -1: what is unknown is left out
    bool fuse_unknown = false;  // neighbouring unknown characters become one token
    TokenIds whole_words;       // words found here are not merged; keys are bytes
    size_t longest_whole_word = 0;
    MergeTable merges;

    MergeTable joins;         // used as a set: pairs of symbols that stand side by side in what some merge makes
    bool cuts_words = false;  // joins is complete: where a pair is not in it, nothing ever merges across

    BpeModel() { byte_ids.fill(-1); }

    /// Notes that `left` and `right` merge, given as they are spelt in symbols; call it for every merge before setting cuts_words.
    void note_join(std::string_view left, std::string_view right);

    /// Whether every byte has a token.
    bool has_all_bytes() const;

    /// Appends the tokens of `word`, not empty; without byte_level it is valid UTF-8.
    void encode_word(std::string_view word, std::vector<int32_t>& out, MergeScratch& scratch, std::vector<int32_t>& symbols) const;

private:
    bool has_bytes(std::string_view text) const;  // each has a token
    int32_t first_symbol(std::string_view text) const;
    int32_t last_symbol(std::string_view text) const;
};

}  // namespace hearth
