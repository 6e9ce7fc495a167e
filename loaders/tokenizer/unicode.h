// The few properties of characters that tokenizers ask for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth {

/// The property White_Space.
bool is_white_space(uint32_t code);

/// What \w means: letters, marks, numbers, connectors such as '_'.
bool is_word_char(uint32_t code);

enum class NormalForm : uint8_t { kNfc, kNfd, kNfkc, kNfkd };

/// `text` in a normal form; bytes that are not UTF-8 stay where they are.
/// Time n log n for any text, also one long run of unordered combining marks.
std::string normalize(std::string_view text, NormalForm form);

}  // namespace hearth
