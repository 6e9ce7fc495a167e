// A template's source as tokens, under transformers' settings: trim_blocks, lstrip_blocks, one newline at the very end dropped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::jinja {

struct Token {
    enum class Kind : uint8_t { kData, kOutputBegin, kOutputEnd, kBlockBegin, kBlockEnd, kName, kText, kInt, kFloat, kSign, kEnd };
    Kind kind = Kind::kEnd;
    int line = 1;
    std::string text;  // data as it will be printed; text with its escapes resolved; a sign: "+", "==", "[", ...
    int64_t integer = 0;
    double number = 0;

    bool is(Kind k) const { return kind == k; }
    bool is_sign(std::string_view sign) const { return kind == Kind::kSign && text == sign; }
    bool is_name(std::string_view name) const { return kind == Kind::kName && text == name; }
};

/// `source` is UTF-8. The last token is kEnd. Throws Error{kBadInput} with the line.
std::vector<Token> tokenize(std::string_view source);

[[noreturn]] void fail_syntax(int line, const std::string& message);

}  // namespace hearth::jinja
