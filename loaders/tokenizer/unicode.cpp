#include "loaders/tokenizer/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"

namespace hearth {

namespace {

uint8_t combining_class(int32_t code) { return static_cast<uint8_t>(utf8proc_get_property(code)->combining_class); }

/// The library orders marks by exchanging neighbours, which takes quadratic time on a long run: we sort each run.
void order_marks(std::vector<int32_t>& codes) {
    const auto by_class = [](int32_t a, int32_t b) { return combining_class(a) < combining_class(b); };
    for (size_t i = 0; i < codes.size();) {
        size_t end = i;
        while (end < codes.size() && combining_class(codes[end]) != 0) ++end;
        if (end > i + 1) std::stable_sort(codes.begin() + static_cast<ptrdiff_t>(i), codes.begin() + static_cast<ptrdiff_t>(end), by_class);
        i = std::max(end, i + 1);
    }
}

void append_decomposed(std::vector<int32_t>& out, uint32_t code, bool compatible) {
    const int options = UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
    int boundary = 0;
    int32_t buffer[32];  // the longest decomposition has 18
    const auto n = utf8proc_decompose_char(static_cast<int32_t>(code), buffer, 32, static_cast<utf8proc_option_t>(options), &boundary);
    HEARTH_CHECK(n >= 0 && n <= 32);
    out.insert(out.end(), buffer, buffer + n);
}

/// Appends `codes` in the form and empties them.
void flush(std::string& out, std::vector<int32_t>& codes, bool compose) {
    order_marks(codes);
    auto n = static_cast<utf8proc_ssize_t>(codes.size());
    if (compose) n = utf8proc_normalize_utf32(codes.data(), n, static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    for (utf8proc_ssize_t i = 0; i < n; ++i) append_utf8(out, static_cast<uint32_t>(codes[static_cast<size_t>(i)]));
    codes.clear();
}

}  // namespace

bool is_white_space(uint32_t code) {
    return (code >= 0x9 && code <= 0xD) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_word_char(uint32_t code) {
    const auto category = utf8proc_category(static_cast<int32_t>(code));
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO) || category == UTF8PROC_CATEGORY_PC;
}

std::string normalize(std::string_view text, NormalForm form) {
    const bool compose = form == NormalForm::kNfc || form == NormalForm::kNfkc;
    const bool compatible = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
    std::string out;
    out.reserve(text.size());
    std::vector<int32_t> codes;
    while (!text.empty()) {
        const Utf8Char c = next_utf8(text);
        if (c.valid) {
            // A starter that begins nothing new is no safe place to cut (Hangul, some vowel signs), a plain ASCII character is.
            if (c.code < 0x80 && codes.size() >= 4096) flush(out, codes, compose);
            append_decomposed(codes, c.code, compatible);
        } else {
            flush(out, codes, compose);
            out += text.substr(0, c.length);
        }
        text.remove_prefix(c.length);
    }
    flush(out, codes, compose);
    return out;
}

}  // namespace hearth
