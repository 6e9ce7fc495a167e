// What Python's strings know of characters. All text here is valid UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::jinja {

inline bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

size_t count_characters(std::string_view text);

/// Byte offset of character `index`; the end when there are fewer.
size_t offset_of(std::string_view text, size_t index);

/// The character at byte `at`, which moves behind it.
uint32_t take_character(std::string_view text, size_t& at);

bool is_space(uint32_t c);  // str.isspace, and \s of its regular expressions
bool is_alpha(uint32_t c);
bool is_digit(uint32_t c);  // decimal digits of any script
bool is_upper(uint32_t c);
bool is_lower(uint32_t c);
bool is_printable(uint32_t c);  // repr leaves it as it is

enum class Case : uint8_t { kLower, kUpper, kTitle };
void append_cased(std::string& out, uint32_t c, Case to);

/// [begin, end) of `text` without white space at the chosen ends.
std::string_view strip_space(std::string_view text, bool left = true, bool right = true);

}  // namespace hearth::jinja
