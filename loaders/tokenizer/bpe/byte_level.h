// GPT-2's way to write bytes as visible characters. Files are written so; the tokenizer works on the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hearth {

/// The character that stands for `byte`, as UTF-8.
std::string byte_level_char(uint8_t byte);

/// The bytes that `text` stands for, or nothing where a character of it stands for none.
std::optional<std::string> bytes_of_byte_level(std::string_view text);

/// The number in "<0x0A>", two upper-case hexadecimal digits, or nothing.
std::optional<uint8_t> parse_byte_token(std::string_view text);

}  // namespace hearth
