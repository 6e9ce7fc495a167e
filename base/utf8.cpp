#include "base/utf8.h"

namespace hearth {

Utf8Char next_utf8(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const uint32_t first = byte(0);
    if (first < 0x80) return {first, 1, true, false};
    if (first < 0xC2 || first > 0xF4) return {};
    const uint32_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t code = first & (0x7Fu >> length);
    for (uint32_t i = 1; i < length; ++i) {
        if (i == text.size()) return {0xFFFD, i, false, true};
        uint32_t low = 0x80, high = 0xBF;
        if (i == 1) {  // the second byte rules out overlong forms, surrogates and numbers past U+10FFFF
            if (first == 0xE0) low = 0xA0;
            if (first == 0xED) high = 0x9F;
            if (first == 0xF0) low = 0x90;
            if (first == 0xF4) high = 0x8F;
        }
        if (byte(i) < low || byte(i) > high) return {0xFFFD, i, false, false};
        code = code << 6 | (byte(i) & 0x3F);
    }
    return {code, length, true, false};
}

void append_utf8(std::string& out, uint32_t code) {
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
    if (code < 0x80) {
        out += static_cast<char>(code);
        return;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out += static_cast<char>((0xF00 >> (more + 1) & 0xFF) | code >> 6 * more);
    for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | (code >> 6 * i & 0x3F));
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const Utf8Char c = next_utf8(text);
        if (!c.valid) return false;
        text.remove_prefix(c.length);
    }
    return true;
}

std::string sanitize_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Utf8Char c = next_utf8(text);
        if (c.valid) {
            out += text.substr(0, c.length);
        } else {
            out += "\xEF\xBF\xBD";
        }
        text.remove_prefix(c.length);
    }
    return out;
}

size_t complete_utf8(std::string_view text) {
    const size_t window = text.size() < 3 ? text.size() : 3;
    for (size_t back = 1; back <= window; ++back) {
        const auto c = static_cast<unsigned char>(text[text.size() - back]);
        if ((c & 0xC0) == 0x80) continue;  // a continuation byte: the character begins further left
        return next_utf8(text.substr(text.size() - back)).cut_short ? text.size() - back : text.size();
    }
    return text.size();
}

}  // namespace hearth
