// Where a sequence has said the same before.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace hearth {

/// Remembers for the last few tokens of each place in a text what came after them: what follows a repetition is likely to repeat, too
/// (Saxena, "Prompt lookup decoding", 2023). Memory: an entry for each token and length. Not thread-safe.
class NgramIndex {
public:
    static constexpr int kLengths[] = {4, 2};  // of the tokens that must agree; the longer ones are looked for first

    /// A guess at how `tokens` goes on.
    struct Guess {
        std::span<const int32_t> tokens;  // a part of what was given, at most as long as was asked for; may be empty
        int length = 0;                   // which of kLengths agreed, as an index
    };

    /// `tokens` is what it was at the last call, and more. Valid as long as `tokens`.
    Guess guess(std::span<const int32_t> tokens, int64_t most);

private:
    static uint64_t key(std::span<const int32_t> tokens);

    std::unordered_map<uint64_t, int32_t> after_[std::size(kLengths)];  // key of some tokens: where the latest of them end
    int64_t indexed_ = 0;                                               // ends up to here are in after_
};

}  // namespace hearth
