// Regular expressions of tokenizer files, on PCRE2.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth {

/// A pattern, compiled. Immutable: any thread may use it.
///
/// The pattern is hostile until checked: what has no place in a tokenizer (back references, recursion, callouts, verbs) is refused by name,
/// and finding all matches takes a bounded number of backtracking steps for each byte of the text, else Error.
class Regex {
public:
    /// `where` is named in errors: "tokenizer.json: pre_tokenizer". Throws Error{kBadInput, kUnsupported}.
    Regex(std::string_view pattern, const std::string& where);
    ~Regex();
    Regex(Regex&&) noexcept;

    /// All that Matches finds.
    std::vector<std::pair<size_t, size_t>> find_all(std::string_view text, const std::vector<size_t>& ends) const;

private:
    friend class Matches;
    struct Code;
    std::unique_ptr<const Code> code_;
    std::string where_;
};

/// Walks over the matches in a text, from left to right, none empty. The text is cut at `ends` (ascending, the last is its size) and no
/// match sees past a cut, nor past bytes that are not UTF-8, which are in no match. Regex, text and ends must outlive it. One thread.
class Matches {
public:
    Matches(const Regex& regex, std::string_view text, const std::vector<size_t>& ends);
    ~Matches();

    /// The next match, or false at the end. Throws Error{kUnsupported} when the pattern takes too many steps.
    bool next(size_t& begin, size_t& end);

private:
    struct Matcher;
    bool next_stretch();

    std::unique_ptr<Matcher> matcher_;
    std::string_view text_;
    const std::vector<size_t>& ends_;
    size_t piece_ = 0;            // index into ends_
    size_t begin_ = 0, end_ = 0;  // the stretch of valid UTF-8 that is looked at
    size_t at_ = 0;               // how far
};

/// `pattern` as PCRE2 must read it to mean what Rust's and Oniguruma's engines mean: \s is the property White_Space. Throws
/// Error{kUnsupported} for constructs outside the common ground.
std::string translate_pattern(std::string_view pattern, const std::string& where);

}  // namespace hearth
