// How much the steps of a tokenizer file may make of a text. The steps
// are the file's, and sixty of them that double a letter fill any memory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace hearth {

/// The normaliser and the pre-tokenizer may each make so many bytes of one byte, and so many more in all. The largest that Unicode makes is
/// 11 (U+FDFA in the form NFKD), and 3 for U+2581 in the place of a space.
constexpr size_t kMaxGrowth = 64, kGrowthSlack = 4096;

/// The decoder may make so many bytes of one byte of a token's spelling.
constexpr size_t kMaxDecodedGrowth = 16;

/// Steps of one normaliser, pre-tokenizer or decoder: what they cost is paid for every text.
constexpr size_t kMaxSteps = 256;

/// What may become of a text of `bytes`.
inline size_t growth_limit(size_t bytes) { return bytes * kMaxGrowth + kGrowthSlack; }

/// Throws Error{kTooLarge}: `who` ("the normaliser") made `bytes` where `limit` are allowed for a text of `from`.
inline void check_growth(size_t bytes, size_t limit, size_t from, const char* who) {
    if (bytes <= limit) return;
    throw Error(ErrorKind::kTooLarge, cat(who, " makes more than ", limit, " bytes of ", from, "; at most ", kMaxGrowth, " of each and ",
                                          kGrowthSlack, " more are allowed"));
}

/// Throws Error{kTooLarge}: `where` lists more than kMaxSteps.
inline void check_steps(size_t steps, const std::string& where) {
    if (steps > kMaxSteps) throw Error(ErrorKind::kTooLarge, cat(where, ": more than ", kMaxSteps, " steps"));
}

/// A text that grows while a normaliser writes it, within the limit.
class BoundedText {
public:
    /// `from`: bytes of the text that was given to the first step.
    explicit BoundedText(size_t from) : from_(from), limit_(growth_limit(from)) {}

    void append(std::string_view part) {
        check_growth(text_.size() + part.size(), limit_, from_, "the normaliser");
        text_ += part;
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
    size_t from_, limit_;
};

}  // namespace hearth
