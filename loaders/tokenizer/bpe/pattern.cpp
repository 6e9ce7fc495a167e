#include <cctype>
#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "loaders/tokenizer/bpe/regex.h"

namespace hearth {

namespace {

constexpr size_t kMaxPattern = 64 * 1024;

[[noreturn]] void refuse(const std::string& where, std::string_view what) {
    throw Error(ErrorKind::kUnsupported, cat(where, ": the pattern uses ", printable(what),
                                             ", which is not supported; groups, classes, \\p{..}, quantifiers and look-around are"));
}

bool is_one_of(char c, const char* set) { return c != '\0' && std::strchr(set, c) != nullptr; }

/// What follows "(" as far as it decides what kind of group it is.
void check_group(std::string_view rest, const std::string& where) {
    if (rest.empty() || (rest[0] != '?' && rest[0] != '*')) return;
    if (rest[0] == '*') refuse(where, "a verb \"(*\"");
    rest.remove_prefix(1);
    if (rest.empty() || rest.starts_with(":") || rest.starts_with("=") || rest.starts_with("!") || rest.starts_with(">") ||
        rest.starts_with("<=") || rest.starts_with("<!")) {
        return;  // an unfinished group is for the compiler to name
    }
    const size_t colon = rest.find_first_not_of("ismx-");
    if (colon != std::string_view::npos && colon > 0 && is_one_of(rest[colon], ":)")) return;
    refuse(where, cat("the group \"(?", rest.substr(0, 2), "\""));
}

}  // namespace

std::string translate_pattern(std::string_view pattern, const std::string& where) {
    if (pattern.empty() || pattern.size() > kMaxPattern) {
        throw Error(ErrorKind::kBadInput, cat(where, ": a pattern of ", pattern.size(), " bytes, expected 1 to ", kMaxPattern));
    }
    std::string out;
    size_t class_begin = std::string_view::npos;  // of the [class] that we are in
    for (size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        const bool in_class = class_begin != std::string_view::npos;
        if (c == '(' && !in_class) check_group(pattern.substr(i + 1), where);
        if (c == '[' && in_class && pattern.substr(i).starts_with("[:")) {  // [:alpha:] inside a class
            const size_t end = pattern.find(":]", i);
            if (end != std::string_view::npos) {
                out += pattern.substr(i, end + 2 - i);
                i = end + 1;
                continue;
            }
        }
        if (c == '[' && !in_class) class_begin = i + (pattern.substr(i).starts_with("[^") ? 2 : 1);
        if (c == ']' && in_class && i > class_begin) class_begin = std::string_view::npos;
        if (c != '\\' || i + 1 == pattern.size()) {
            out += c;
            continue;
        }
        const char escaped = pattern[++i];
        if (escaped == 's') {
            out += "\\p{White_Space}";
        } else if (escaped == 'S') {
            out += "\\P{White_Space}";
        } else if (is_one_of(escaped, "rntfvpPdDwWbBAzx") || !std::isalnum(static_cast<unsigned char>(escaped))) {
            out += c;
            out += escaped;
        } else {
            refuse(where, std::string{c, escaped});
        }
    }
    return out;
}

}  // namespace hearth
