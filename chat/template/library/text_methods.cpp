// Methods of str. Those that Python has beyond these read as undefined.
#include "base/text.h"
#include "chat/template/library/library.h"
#include "chat/template/library/printf.h"
#include "chat/template/library/text_operations.h"

namespace hearth::jinja {
namespace {

/// An argument that stands beside markup is escaped first.
TextPtr fitted(Runtime& runtime, const TextPtr& self, const TextPtr& argument) {
    return self->markup() && argument && !argument->markup() ? escape(runtime, *argument) : argument;
}

TextPtr required_text(Runtime& runtime, const Bound& args, size_t i) {
    args.required(i);
    const TextPtr text = args.text(i);
    if (!text) runtime.fail("a str is needed, not None");
    return text;
}

void no_arguments(Runtime& runtime, std::string_view name, const Args& args) { Bound(runtime, name, args, {}); }

template <bool left, bool right>
Value strip(Runtime& runtime, const Value& self, const Args& args) {
    return stripped(runtime, self.text(), Bound(runtime, "strip", args, {"chars"}).text(0), left, right);
}

template <Case to>
Value change_case(Runtime& runtime, const Value& self, const Args& args) {
    no_arguments(runtime, "lower", args);
    return recased(runtime, *self.text(), [](uint32_t) { return to; });
}

Value title(Runtime& runtime, const Value& self, const Args& args) {
    no_arguments(runtime, "title", args);
    return recased(runtime, *self.text(), [inside = false](uint32_t c) mutable {
        return std::exchange(inside, is_upper(c) || is_lower(c) || is_alpha(c)) ? Case::kLower : Case::kTitle;
    });
}

Value capitalize(Runtime& runtime, const Value& self, const Args& args) {
    no_arguments(runtime, "capitalize", args);
    return capitalized(runtime, *self.text());
}

Value swapcase(Runtime& runtime, const Value& self, const Args& args) {
    no_arguments(runtime, "swapcase", args);
    return recased(runtime, *self.text(), [](uint32_t c) { return is_upper(c) ? Case::kLower : Case::kUpper; });
}

/// At white space, from the left.
Values split_at_space(Runtime& runtime, const TextPtr& text, int64_t limit) {
    Values out;
    std::string_view rest = strip_space(text->bytes(), true, false);
    while (!rest.empty()) {
        runtime.step();
        if (limit >= 0 && static_cast<int64_t>(out.size()) == limit) {
            out.push_back(part(runtime, text, rest));
            break;
        }
        size_t end = 0, next = 0;
        while (end < rest.size() && !is_space(take_character(rest, next))) end = next;
        out.push_back(part(runtime, text, rest.substr(0, end)));
        rest = strip_space(rest.substr(end), true, false);
    }
    return out;
}

/// At white space, from the right.
Values rsplit_at_space(Runtime& runtime, const TextPtr& text, int64_t limit) {
    Values out;
    std::string_view rest = strip_space(text->bytes(), false, true);
    while (!rest.empty()) {
        runtime.step();
        if (limit >= 0 && static_cast<int64_t>(out.size()) == limit) {
            out.push_back(part(runtime, text, rest));
            break;
        }
        size_t begin = rest.size();
        while (begin > 0) {
            size_t last = begin - 1, next = 0;
            while (last > 0 && continues(rest[last])) --last;
            next = last;
            if (is_space(take_character(rest, next))) break;
            begin = last;
        }
        out.push_back(part(runtime, text, rest.substr(begin)));
        rest = strip_space(rest.substr(0, begin), false, true);
    }
    std::reverse(out.begin(), out.end());
    return out;
}

Values split_at(Runtime& runtime, const TextPtr& text, std::string_view separator, int64_t limit) {
    Values out;
    size_t at = 0;
    for (size_t found; limit != 0 && (found = find_bytes(text->bytes(), separator, at)) != std::string_view::npos; --limit) {
        runtime.step();
        out.push_back(slice(runtime, text, at, found));
        at = found + separator.size();
    }
    out.push_back(slice(runtime, text, at, text->size()));
    return out;
}

Values rsplit_at(Runtime& runtime, const TextPtr& text, std::string_view separator, int64_t limit) {
    Values out;
    size_t end = text->size();
    for (; limit != 0; --limit) {
        runtime.step();
        const size_t found = find_last_bytes(runtime, text->bytes().substr(0, end), separator);
        if (found == std::string_view::npos) break;
        out.push_back(slice(runtime, text, found + separator.size(), end));
        end = found;
    }
    out.push_back(slice(runtime, text, 0, end));
    std::reverse(out.begin(), out.end());
    return out;
}

template <bool from_right>
Value split(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "split", args, {"sep", "maxsplit"});
    const int64_t limit = bound.integer(1, -1);
    const TextPtr separator = bound.text(0);
    if (!separator) {
        return make_list(runtime, from_right ? rsplit_at_space(runtime, self.text(), limit) : split_at_space(runtime, self.text(), limit));
    }
    if (separator->size() == 0) runtime.fail("empty separator");
    return make_list(runtime, from_right ? rsplit_at(runtime, self.text(), separator->bytes(), limit)
                                         : split_at(runtime, self.text(), separator->bytes(), limit));
}

Value splitlines(Runtime& runtime, const Value& self, const Args& args) {
    return make_list(runtime, split_lines(runtime, self.text(), Bound(runtime, "splitlines", args, {"keepends"}).truth(0, false)));
}

template <bool last>
Value partition(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "partition", args, {"sep"});
    const TextPtr separator = required_text(runtime, bound, 0);
    if (separator->size() == 0) runtime.fail("empty separator");
    const TextPtr& text = self.text();
    const Values cut = last ? rsplit_at(runtime, text, separator->bytes(), 1) : split_at(runtime, text, separator->bytes(), 1);
    const Value none = make_string(runtime, "");
    Values out;
    if (cut.size() == 1) {
        out = last ? Values{none, none, text} : Values{text, none, none};
    } else {
        const size_t at = cut[0].text()->size();
        out = {cut[0], slice(runtime, text, at, at + separator->size()), cut[1]};
    }
    return make_list(runtime, std::move(out), List::Sort::kTuple);
}

/// [start, end) in characters as Python's find and startswith take them, in bytes; nothing when start lies behind the end.
std::optional<std::pair<size_t, size_t>> range_of(Runtime& runtime, std::string_view bytes, const Bound& bound, size_t first) {
    runtime.work(bytes.size());
    if (!bound.has(first) && !bound.has(first + 1)) return std::pair{size_t{0}, bytes.size()};
    const auto length = static_cast<int64_t>(count_characters(bytes));
    const auto at = [&](size_t i, int64_t otherwise) {
        if (!bound.has(i) || bound[i].is_none()) return otherwise;
        const int64_t given = bound.integer(i, otherwise);
        return given < 0 ? std::max<int64_t>(given < -length ? 0 : given + length, 0) : given;
    };
    const int64_t start = at(first, 0), end = std::min(at(first + 1, length), length);
    if (start > end) return std::nullopt;
    return std::pair{offset_of(bytes, static_cast<size_t>(start)), offset_of(bytes, static_cast<size_t>(end))};
}

template <bool at_end>
Value has_affix(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, at_end ? "endswith" : "startswith", args, {"affix", "start", "end"});
    const auto range = range_of(runtime, self.bytes(), bound, 1);
    const Value& affix = bound.required(0);
    const bool tuple = affix.is_list() && affix.list()->sort() == List::Sort::kTuple;
    const Values candidates = tuple ? affix.list()->items() : Values{affix};
    for (const Value& each : candidates) {
        if (!each.is_text())
            runtime.fail(cat(at_end ? "endswith" : "startswith", " needs a str or a tuple of them, not ", type_name(each)));
        if (!range) continue;
        const std::string_view bytes = self.bytes().substr(range->first, range->second - range->first);
        if (at_end ? bytes.ends_with(each.bytes()) : bytes.starts_with(each.bytes())) return true;
    }
    return false;
}

/// Where `sub` is, in characters; -1 when it is nowhere.
int64_t position(Runtime& runtime, const Value& self, const Args& args, bool last) {
    const Bound bound(runtime, "find", args, {"sub", "start", "end"});
    const TextPtr sub = required_text(runtime, bound, 0);
    const auto range = range_of(runtime, self.bytes(), bound, 1);
    if (!range) return -1;
    const std::string_view bytes = self.bytes().substr(0, range->second);
    const size_t found = last ? find_last_bytes(runtime, bytes, sub->bytes()) : find_bytes(bytes, sub->bytes(), range->first);
    if (found == std::string_view::npos || found < range->first) return -1;
    return static_cast<int64_t>(count_characters(bytes.substr(0, found)));
}

template <bool last, bool must>
Value find(Runtime& runtime, const Value& self, const Args& args) {
    const int64_t at = position(runtime, self, args, last);
    if (must && at < 0) runtime.fail("substring not found");
    return at;
}

Value count(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "count", args, {"sub", "start", "end"});
    const TextPtr sub = required_text(runtime, bound, 0);
    const auto range = range_of(runtime, self.bytes(), bound, 1);
    if (!range) return int64_t{0};
    const std::string_view bytes = self.bytes().substr(range->first, range->second - range->first);
    if (sub->size() == 0) return static_cast<int64_t>(count_characters(bytes)) + 1;
    int64_t found = 0;
    for (size_t at = 0; (at = find_bytes(bytes, sub->bytes(), at)) != std::string_view::npos; at += sub->size()) {
        runtime.step();
        ++found;
    }
    return found;
}

Value replace(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "replace", args, {"old", "new", "count"});
    const TextPtr old = fitted(runtime, self.text(), required_text(runtime, bound, 0));
    const TextPtr with = fitted(runtime, self.text(), required_text(runtime, bound, 1));
    return replaced(runtime, self.text(), *old, *with, bound.integer(2, -1));
}

template <bool suffix>
Value remove_affix(Runtime& runtime, const Value& self, const Args& args) {
    const TextPtr affix = required_text(runtime, Bound(runtime, "removeprefix", args, {"affix"}), 0);
    const TextPtr& text = self.text();
    if (suffix) return text->bytes().ends_with(affix->bytes()) ? slice(runtime, text, 0, text->size() - affix->size()) : text;
    return text->bytes().starts_with(affix->bytes()) ? slice(runtime, text, affix->size(), text->size()) : text;
}

Value join(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "join", args, {"iterable"});
    if (bound.required(0).is_undefined()) return make_string(runtime, "");
    const ListPtr items = iterate(runtime, bound[0]);
    TextBuilder out(runtime);
    bool first = true;
    for (const Value& item : items->items()) {
        runtime.step();
        if (!first) out.add(*self.text());
        first = false;
        if (!item.is_text() && !self.text()->markup()) runtime.fail(cat("join: a str is needed, not ", type_name(item)));
        out.add(*fitted(runtime, self.text(), to_text(runtime, item)));
    }
    return out.finish(self.text()->markup());
}

template <bool left, bool right>
Value pad(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "center", args, {"width", "fillchar"});
    bound.required(0);
    const TextPtr fill = bound.text(1) ? bound.text(1) : make_text(runtime, " ", true);
    if (count_characters(fill->bytes()) != 1) runtime.fail("the fill character must be exactly one character long");
    return padded(runtime, self.text(), bound.integer(0, 0), *fill, left, right);
}

Value zfill(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "zfill", args, {"width"});
    bound.required(0);
    const TextPtr& text = self.text();
    const bool has_sign = text->bytes().starts_with('-') || text->bytes().starts_with('+');
    const size_t sign = has_sign ? 1 : 0;
    const TextPtr zero = make_text(runtime, "0", true);
    const TextPtr digits =
        padded(runtime, slice(runtime, text, sign, text->size()), bound.integer(0, 0) - static_cast<int64_t>(sign), *zero, true, false);
    TextBuilder out(runtime);
    return out.add(*text, 0, sign).add(*digits).finish(text->markup());
}

/// All characters, and at least one, are such.
template <bool (*predicate)(uint32_t), bool of_nothing = false>
Value all_are(Runtime& runtime, const Value& self, const Args& args) {
    no_arguments(runtime, "is...", args);
    for (size_t at = 0; at < self.text()->size();) {
        if (!predicate(take_character(self.bytes(), at))) return false;
    }
    return of_nothing || self.text()->size() > 0;
}
bool is_alphanumeric(uint32_t c) { return is_alpha(c) || is_digit(c); }
bool is_ascii(uint32_t c) { return c < 0x80; }

template <bool (*wanted)(uint32_t), bool (*unwanted)(uint32_t)>
Value all_cased(Runtime& runtime, const Value& self, const Args& args) {
    no_arguments(runtime, "islower", args);
    bool any = false;
    for (size_t at = 0; at < self.text()->size();) {
        const uint32_t c = take_character(self.bytes(), at);
        if (unwanted(c)) return false;
        any |= wanted(c);
    }
    return any;
}

Value istitle(Runtime& runtime, const Value& self, const Args& args) {
    no_arguments(runtime, "istitle", args);
    bool inside = false, any = false;
    for (size_t at = 0; at < self.text()->size();) {
        const uint32_t c = take_character(self.bytes(), at);
        if (is_upper(c) ? inside : is_lower(c) && !inside) return false;
        inside = is_upper(c) || is_lower(c);
        any |= inside;
    }
    return any;
}

Value format(Runtime& runtime, const Value& self, const Args& args) {
    return format_braces(runtime, self.text(), args.positional, args.named);
}

constexpr MethodRow kMethods[] = {
    {"strip", strip<true, true>},
    {"lstrip", strip<true, false>},
    {"rstrip", strip<false, true>},
    {"split", split<false>},
    {"rsplit", split<true>},
    {"splitlines", splitlines},
    {"partition", partition<false>},
    {"rpartition", partition<true>},
    {"startswith", has_affix<false>},
    {"endswith", has_affix<true>},
    {"removeprefix", remove_affix<false>},
    {"removesuffix", remove_affix<true>},
    {"upper", change_case<Case::kUpper>},
    {"lower", change_case<Case::kLower>},
    {"casefold", change_case<Case::kLower>},
    {"title", title},
    {"capitalize", capitalize},
    {"swapcase", swapcase},
    {"replace", replace},
    {"join", join},
    {"find", find<false, false>},
    {"rfind", find<true, false>},
    {"index", find<false, true>},
    {"rindex", find<true, true>},
    {"count", count},
    {"center", pad<true, true>},
    {"ljust", pad<false, true>},
    {"rjust", pad<true, false>},
    {"zfill", zfill},
    {"format", format},
    {"isalpha", all_are<is_alpha>},
    {"isdigit", all_are<is_digit>},
    {"isdecimal", all_are<is_digit>},
    {"isnumeric", all_are<is_digit>},
    {"isalnum", all_are<is_alphanumeric>},
    {"isspace", all_are<is_space>},
    {"isascii", all_are<is_ascii, true>},
    {"islower", all_cased<is_lower, is_upper>},
    {"isupper", all_cased<is_upper, is_lower>},
    {"istitle", istitle},
};

}  // namespace

std::span<const MethodRow> text_methods() { return kMethods; }

}  // namespace hearth::jinja
