// UTF-8 as The Unicode Standard 15, section 3.9, table 3-7 defines it: no overlong forms, no surrogates, at most U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hearth {

/// The first character of a string.
struct Utf8Char {
    uint32_t code = 0xFFFD;  // U+FFFD where invalid
    uint32_t length = 1;     // bytes it takes; where invalid, the bytes that one U+FFFD stands for (the maximal subpart)
    bool valid = false;
    bool cut_short = false;  // invalid, but the whole text is the beginning of a valid character
};

/// Reads the first character of `text`, which is not empty.
Utf8Char next_utf8(std::string_view text);

/// Appends `code` as UTF-8; surrogates and numbers past U+10FFFF become U+FFFD.
void append_utf8(std::string& out, uint32_t code);

bool is_utf8(std::string_view text);

/// `text` with each maximal subpart of an ill-formed sequence replaced by one U+FFFD, as WHATWG and Python's "replace" do.
std::string sanitize_utf8(std::string_view text);

/// How many bytes at the front of `text` can be shown now: all but a cut-short character at the end.
size_t complete_utf8(std::string_view text);

}  // namespace hearth
