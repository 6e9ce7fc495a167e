// Filters on texts. What is not a text is printed first, as Jinja2 does.
#include "base/text.h"
#include "chat/template/library/library.h"
#include "chat/template/library/printf.h"
#include "chat/template/library/text_operations.h"

namespace hearth::jinja {
namespace {

/// For the few filters that do not print what is not a text.
TextPtr only_text(Runtime& runtime, std::string_view filter, const Value& subject) {
    if (subject.is_undefined()) fail_undefined(runtime, subject);
    if (!subject.is_text()) runtime.fail(cat(filter, " of ", type_name(subject)));
    return subject.text();
}

Value trim(Runtime& runtime, const Value& subject, const Args& args) {
    return stripped(runtime, to_text(runtime, subject), Bound(runtime, "trim", args, {"chars"}).text(0), true, true);
}

template <Case to>
Value change_case(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "upper", args, {});
    return recased(runtime, *to_text(runtime, subject), [](uint32_t) { return to; });
}

Value title(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "title", args, {});
    return recased(runtime, *to_text(runtime, subject), [inside = false](uint32_t c) mutable {
        const bool between = is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
        return std::exchange(inside, !between) ? Case::kLower : Case::kUpper;
    });
}

Value capitalize(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "capitalize", args, {});
    return capitalized(runtime, *to_text(runtime, subject));
}

Value replace(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "replace", args, {"old", "new", "count"});
    const int64_t limit = bound[2].is_none() ? -1 : bound.integer(2, -1);
    const TextPtr old = to_text(runtime, bound.required(0)), with = to_text(runtime, bound.required(1));
    return with_markup(runtime, replaced(runtime, to_text(runtime, subject), *old, *with, limit), false);
}

Value indent(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "indent", args, {"width", "first", "blank"});
    const TextPtr text = only_text(runtime, "indent", subject);
    const TextPtr space = bound.has(0) && bound[0].is_text()
                              ? bound.text(0)
                              : calculate(runtime, Arithmetic::kMultiply, make_string(runtime, " "), bound.integer(0, 4)).text();
    const bool blank = bound.truth(2, false);
    TextBuilder whole(runtime);
    const Values lines = split_lines(runtime, whole.add(*text).add("\n", true).finish(), false);
    TextBuilder out(runtime);
    if (bound.truth(1, false)) out.add(*space);
    for (size_t i = 0; i < lines.size(); ++i) {
        if (i > 0) out.add("\n", true);
        if (i > 0 && (blank || lines[i].text()->size() > 0)) out.add(*space);
        out.add(*lines[i].text());
    }
    return out.finish(text->markup());
}

Value safe(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "safe", args, {});
    return with_markup(runtime, to_text(runtime, subject), true);
}

Value escape_filter(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "escape", args, {});
    if (subject.is_text() && subject.text()->markup()) return subject;
    return escape(runtime, *to_text(runtime, subject));
}

Value force_escape(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "forceescape", args, {});
    return escape(runtime, *to_text(runtime, subject));
}

Value string(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "string", args, {});
    return to_text(runtime, subject);
}

Value truncate(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "truncate", args, {"length", "killwords", "end", "leeway"});
    const TextPtr text = subject.is_undefined() ? to_text(runtime, subject) : only_text(runtime, "truncate", subject);
    const TextPtr end = bound.text(2) ? bound.text(2) : make_text(runtime, "...", true);
    const auto end_length = static_cast<int64_t>(count_characters(end->bytes()));
    const int64_t length = bound.integer(0, 255), leeway = bound[3].is_none() ? 5 : bound.integer(3, 5);
    if (length < end_length || leeway < 0 || length > INT32_MAX || leeway > INT32_MAX) runtime.fail("truncate(): no such length");
    if (static_cast<int64_t>(count_characters(text->bytes())) <= length + leeway) return text;
    size_t cut = offset_of(text->bytes(), static_cast<size_t>(length - end_length));
    if (!bound.truth(1, false)) cut = std::min(cut, text->bytes().substr(0, cut).rfind(' '));
    TextBuilder out(runtime);
    return out.add(*text, 0, cut).add(*end).finish();
}

Value center(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "center", args, {"width"});
    return padded(runtime, to_text(runtime, subject), bound.integer(0, 80), *make_text(runtime, " ", true), true, true);
}

Value wordcount(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "wordcount", args, {});
    const TextPtr text = to_text(runtime, subject);
    int64_t words = 0;
    bool inside = false;
    for (size_t at = 0; at < text->size();) {
        const uint32_t c = take_character(text->bytes(), at);
        const bool word = is_alpha(c) || is_digit(c) || c == '_';
        words += word && !inside;
        inside = word;
    }
    return words;
}

Value urlencode(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "urlencode", args, {});
    constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~/";
    if (!subject.is_text() && !subject.is_undefined() && is_iterable(subject))
        runtime.fail(cat("urlencode of a ", type_name(subject), " is not supported"));
    TextBuilder out(runtime);
    to_text(runtime, subject)->for_each_run([&](std::string_view piece, bool trusted) {
        std::string encoded;
        for (const char c : piece) {
            constexpr std::string_view kDigits = "0123456789ABCDEF";
            if (kPlain.find(c) != std::string_view::npos) {
                encoded += c;
            } else {
                encoded += '%';
                encoded += kDigits[static_cast<unsigned char>(c) >> 4];
                encoded += kDigits[static_cast<unsigned char>(c) & 15];
            }
        }
        out.add(encoded, trusted);
    });
    return out.finish();
}

Value format(Runtime& runtime, const Value& subject, const Args& args) {
    if (!args.positional.empty() && !args.named.empty()) runtime.fail("format: positional and named arguments together");
    Value argument = make_list(runtime, args.positional, List::Sort::kTuple);
    if (!args.named.empty()) {
        DictBuilder named(runtime);
        for (const auto& [name, value] : args.named) named.set(make_string(runtime, name), value);
        argument = named.finish();
    }
    return format_percent(runtime, to_text(runtime, subject), argument);
}

constexpr FilterRow kFilters[] = {
    {"trim", trim},
    {"tojson", filter_tojson},
    {"upper", change_case<Case::kUpper>},
    {"lower", change_case<Case::kLower>},
    {"title", title},
    {"capitalize", capitalize},
    {"replace", replace},
    {"indent", indent},
    {"safe", safe},
    {"escape", escape_filter},
    {"e", escape_filter},
    {"forceescape", force_escape},
    {"string", string},
    {"truncate", truncate},
    {"center", center},
    {"wordcount", wordcount},
    {"urlencode", urlencode},
    {"format", format},
};

}  // namespace

std::span<const FilterRow> text_filters() { return kFilters; }

}  // namespace hearth::jinja
