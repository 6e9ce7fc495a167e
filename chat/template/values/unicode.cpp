#include "chat/template/values/unicode.h"

#include <utf8proc.h>

#include <algorithm>

#include "base/utf8.h"

namespace hearth::jinja {

size_t count_characters(std::string_view text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

size_t offset_of(std::string_view text, size_t index) {
    size_t at = 0;
    for (; index > 0 && at < text.size(); --index) {
        ++at;
        while (at < text.size() && continues(text[at])) ++at;
    }
    return at;
}

uint32_t take_character(std::string_view text, size_t& at) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) return ++at, first;
    const Utf8Char c = next_utf8(text.substr(at));
    at += c.length;
    return c.code;
}

bool is_space(uint32_t c) {
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_alpha(uint32_t c) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_digit(uint32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_ND; }
bool is_upper(uint32_t c) { return utf8proc_isupper(static_cast<utf8proc_int32_t>(c)) != 0; }
bool is_lower(uint32_t c) { return utf8proc_islower(static_cast<utf8proc_int32_t>(c)) != 0; }

bool is_printable(uint32_t c) {
    if (c == ' ') return true;
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
        case UTF8PROC_CATEGORY_CN:
        case UTF8PROC_CATEGORY_CC:
        case UTF8PROC_CATEGORY_CF:
        case UTF8PROC_CATEGORY_CS:
        case UTF8PROC_CATEGORY_CO:
        case UTF8PROC_CATEGORY_ZS:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP: return false;
        default: return true;
    }
}

void append_cased(std::string& out, uint32_t c, Case to) {
    if (c == 0xDF && to != Case::kLower) {  // the one letter of daily use whose capital is two letters
        out += to == Case::kUpper ? "SS" : "Ss";
        return;
    }
    const auto code = static_cast<utf8proc_int32_t>(c);
    const auto cased = to == Case::kLower ? utf8proc_tolower(code) : to == Case::kUpper ? utf8proc_toupper(code) : utf8proc_totitle(code);
    append_utf8(out, static_cast<uint32_t>(cased));
}

std::string_view strip_space(std::string_view text, bool left, bool right) {
    size_t begin = 0, end = text.size();
    while (left && begin < end) {
        size_t next = begin;
        if (!is_space(take_character(text, next))) break;
        begin = next;
    }
    while (right && end > begin) {
        size_t last = end - 1;
        while (last > begin && continues(text[last])) --last;
        size_t next = last;
        if (!is_space(take_character(text, next))) break;
        end = last;
    }
    return text.substr(begin, end - begin);
}

}  // namespace hearth::jinja
