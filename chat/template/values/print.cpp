// str() and repr().
#include "base/text.h"
#include "base/utf8.h"
#include "chat/template/values/number.h"
#include "chat/template/values/unicode.h"
#include "chat/template/values/value.h"

namespace hearth::jinja {
namespace {

void repr_piece(std::string& out, std::string_view piece, char quote) {
    for (size_t at = 0; at < piece.size();) {
        const uint32_t c = take_character(piece, at);
        char buffer[16];
        if (c == static_cast<unsigned char>(quote) || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
        } else if (c == '\n' || c == '\r' || c == '\t') {
            out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
        } else if (is_printable(c)) {
            append_utf8(out, c);
        } else {
            std::snprintf(buffer, sizeof buffer, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
            out += buffer;
        }
    }
}

void repr_text(TextBuilder& out, const Text& text, bool trusted_quotes) {
    const bool single = text.bytes().find('\'') == std::string_view::npos || text.bytes().find('"') != std::string_view::npos;
    const char quote = single ? '\'' : '"';
    out.add(std::string_view(&quote, 1), trusted_quotes);
    text.for_each_run([&](std::string_view piece, bool trusted) {
        std::string escaped;
        repr_piece(escaped, piece, quote);
        out.add(escaped, trusted);
    });
    out.add(std::string_view(&quote, 1), trusted_quotes);
}

// `trusted`: whose the quotes and digits are, which the innermost list or dict decides.
void repr(TextBuilder& out, const Value& value, bool trusted);

void repr_range(TextBuilder& out, const Values& items) {
    const int64_t first = items.empty() ? 0 : items.front().integer();
    const int64_t step = items.size() < 2 ? 1 : items[1].integer() - first;
    const int64_t stop = items.empty() ? 0 : items.back().integer() + (step > 0 ? 1 : -1);  // the end that was written is not kept
    out.add(step == 1 ? cat("range(", first, ", ", stop, ")") : cat("range(", first, ", ", stop, ", ", step, ")"), true);
}

void repr_list(TextBuilder& out, const List& list) {
    if (list.sort() == List::Sort::kRange) return repr_range(out, list.items());
    constexpr std::string_view kOpen[] = {"[", "(", "range(", "dict_keys([", "dict_values([", "dict_items(["};
    constexpr std::string_view kClose[] = {"]", ")", ")", "])", "])", "])"};
    const auto sort = static_cast<size_t>(list.sort());
    const bool trusted = list.trusted();
    out.add(kOpen[sort], trusted);
    for (size_t i = 0; i < list.size(); ++i) {
        if (i > 0) out.add(", ", trusted);
        repr(out, list.items()[i], trusted);
    }
    if (list.sort() == List::Sort::kTuple && list.size() == 1) out.add(",", trusted);
    out.add(kClose[sort], trusted);
}

void repr_dict(TextBuilder& out, const Dict& dict) {
    out.add("{", dict.trusted());
    bool first = true;
    for (const auto& [key, value] : dict.entries()) {
        if (!first) out.add(", ", dict.trusted());
        first = false;
        repr(out, key, dict.trusted());
        out.add(": ", dict.trusted());
        repr(out, value, dict.trusted());
    }
    out.add("}", dict.trusted());
}

void repr(TextBuilder& out, const Value& value, bool trusted) {
    out.runtime().step();
    switch (value.kind()) {
        case Value::Kind::kUndefined: out.add("Undefined", trusted); return;
        case Value::Kind::kNone: out.add("None", trusted); return;
        case Value::Kind::kBool: out.add(value.boolean() ? "True" : "False", trusted); return;
        case Value::Kind::kInt: out.add(std::to_string(value.integer()), trusted); return;
        case Value::Kind::kFloat: out.add(float_repr(value.number()), trusted); return;
        case Value::Kind::kText:
            if (value.text()->markup()) out.add("Markup(", trusted);
            repr_text(out, *value.text(), trusted);
            if (value.text()->markup()) out.add(")", trusted);
            return;
        case Value::Kind::kList: repr_list(out, *value.list()); return;
        case Value::Kind::kDict: repr_dict(out, *value.dict()); return;
        case Value::Kind::kObject: out.add(cat("<", type_name(value), ">"), trusted); return;
    }
}

}  // namespace

void print_repr(TextBuilder& out, const Value& value) { repr(out, value, true); }

void print(TextBuilder& out, const Value& value) {
    if (value.is_text()) {
        out.add(*value.text());
    } else if (!value.is_undefined()) {
        print_repr(out, value);
    }
}

TextPtr to_text(Runtime& runtime, const Value& value) {
    if (value.is_text()) return value.text();
    TextBuilder out(runtime);
    print(out, value);
    return out.finish();
}

}  // namespace hearth::jinja
