#include "chat/template/library/printf.h"

#include <cmath>

#include "base/text.h"
#include "base/utf8.h"
#include "chat/template/library/library.h"
#include "chat/template/library/text_operations.h"
#include "chat/template/values/number.h"

namespace hearth::jinja {
namespace {

constexpr int64_t kWidest = 10'000, kMostDigits = 300;  // of one field

/// What stands between % and its letter, or behind : in braces.
struct Field {
    std::string fill = " ";
    char align = 0;  // < > ^ =
    char sign = 0;   // + or space
    bool zero = false, alternate = false, comma = false;
    int64_t width = 0, precision = -1;
    char type = 0;
};

int64_t take_number(Runtime& runtime, std::string_view text, size_t& at, int64_t most) {
    int64_t value = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        value = value * 10 + (text[at] - '0');
        if (value > most) runtime.fail(cat("a field of a format is wider than ", most));
    }
    return value;
}

std::string with_commas(const std::string& digits) {
    const size_t whole = std::min(digits.find_first_of(".e"), digits.size());
    std::string out;
    for (size_t i = 0; i < whole; ++i) {
        if (i > 0 && (whole - i) % 3 == 0) out += ',';
        out += digits[i];
    }
    return out + digits.substr(whole);
}

std::string in_base(uint64_t value, unsigned base, bool upper) {
    std::string out;
    do {
        const auto digit = static_cast<unsigned>(value % base);
        out.insert(out.begin(), static_cast<char>(digit < 10 ? '0' + digit : (upper ? 'A' : 'a') + digit - 10));
        value /= base;
    } while (value != 0);
    return out;
}

std::string float_digits(double value, const Field& field) {
    char format[8] = {'%', '.', '*', field.type == 0 ? 'g' : field.type, 0};
    char buffer[700];
    std::snprintf(buffer, sizeof buffer, format, static_cast<int>(field.precision < 0 ? 6 : field.precision), std::abs(value));
    return buffer;
}

std::string integer_digits(Runtime& runtime, int64_t value, const Field& field) {
    const uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    std::string out, prefix;
    switch (field.type) {
        case 'x':
        case 'X':
            out = in_base(magnitude, 16, field.type == 'X');
            prefix = field.type == 'X' ? "0X" : "0x";
            break;
        case 'o':
            out = in_base(magnitude, 8, false);
            prefix = "0o";
            break;
        case 'b':
            out = in_base(magnitude, 2, false);
            prefix = "0b";
            break;
        case 0:
        case 'd':
        case 'i':
        case 'u': out = std::to_string(magnitude); break;
        default: runtime.fail(cat("unknown format '", printable(std::string_view(&field.type, 1)), "' of a number"));
    }
    return field.alternate ? prefix + out : out;
}

/// A number with sign, padding behind the sign where zeros were asked for.
std::string number_text(Runtime& runtime, const Value& value, const Field& field) {
    std::string digits;
    bool negative = false;
    const bool floating =
        field.type == 'f' || field.type == 'F' || field.type == 'e' || field.type == 'E' || field.type == 'g' || field.type == 'G';
    if (field.type == '%') {
        Field percent = field;
        percent.type = 'f';
        digits = float_digits(value.number() * 100, percent) + "%";
        negative = std::signbit(value.number());
    } else if (floating || (value.is(Value::Kind::kFloat) && field.type == 0 && field.precision >= 0)) {
        digits = float_digits(value.number(), field);
        negative = std::signbit(value.number()) && !std::isnan(value.number());
    } else if (value.is(Value::Kind::kFloat) && field.type == 0) {
        digits = float_repr(std::abs(value.number()));
        negative = std::signbit(value.number());
    } else {
        int64_t integer = 0;
        if (value.is(Value::Kind::kFloat)) {
            const auto whole = truncate_float(value.number());
            if (!whole) runtime.fail("a float that does not fit an int");
            integer = *whole;
        } else {
            integer = value.integer();
        }
        digits = integer_digits(runtime, integer, field);
        negative = integer < 0;
    }
    if (field.comma) digits = with_commas(digits);
    const std::string sign = negative ? "-" : field.sign ? std::string(1, field.sign) : "";
    const auto used = static_cast<int64_t>(sign.size() + digits.size());
    if (field.zero && used < field.width) digits.insert(0, static_cast<size_t>(field.width - used), '0');
    return sign + digits;
}

/// `text` in its field. `otherwise`: the side it stands on when none is given.
void add_padded(TextBuilder& out, const TextPtr& text, const Field& field, char otherwise) {
    Runtime& runtime = out.runtime();
    const char align = field.align ? field.align : otherwise;
    const TextPtr fill = make_text(runtime, field.fill, true);
    const auto length = static_cast<int64_t>(count_characters(text->bytes()));
    const int64_t missing = std::max<int64_t>(field.width - length, 0), before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
    for (int64_t i = 0; i < before; ++i) out.add(*fill);
    out.add(*text);
    for (int64_t i = before; i < missing; ++i) out.add(*fill);
}

TextPtr cut(Runtime& runtime, const TextPtr& text, int64_t characters) {
    return characters < 0 ? text : slice(runtime, text, 0, offset_of(text->bytes(), static_cast<size_t>(characters)));
}

Field percent_field(Runtime& runtime, std::string_view text, size_t& at) {
    Field field;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '-')
            field.align = '<';
        else if (c == '+')
            field.sign = '+';
        else if (c == ' ')
            field.sign = field.sign ? field.sign : ' ';
        else if (c == '0')
            field.zero = true;
        else if (c == '#')
            field.alternate = true;
        else
            break;
    }
    field.width = take_number(runtime, text, at, kWidest);
    if (at < text.size() && text[at] == '.') field.precision = take_number(runtime, text, ++at, kMostDigits);
    while (at < text.size() && (text[at] == 'l' || text[at] == 'h' || text[at] == 'L')) ++at;
    if (at >= text.size()) runtime.fail("incomplete format");
    field.type = text[at++];
    if (field.align == '<') field.zero = false;
    return field;
}

void add_percent(TextBuilder& out, const Field& field, const Value& value, bool markup) {
    Runtime& runtime = out.runtime();
    if (field.type == 's' || field.type == 'r' || field.type == 'a') {
        TextBuilder plain(runtime);
        if (field.type == 's')
            print(plain, value);
        else
            print_repr(plain, value);
        TextPtr text = plain.finish();
        if (markup && !(value.is_text() && value.text()->markup())) text = escape(runtime, *text);
        return add_padded(out, cut(runtime, text, field.precision), field, '>');
    }
    if (field.type == 'c') {
        if (value.is_text() && count_characters(value.bytes()) == 1) return add_padded(out, value.text(), field, '>');
        if (!value.is_integral()) runtime.fail("%c needs an int or one character");
        std::string character;
        append_utf8(character, static_cast<uint32_t>(value.integer()));
        return add_padded(out, make_text(runtime, character, true), field, '>');
    }
    constexpr std::string_view kNumbers = "diuoxXeEfFgG";
    if (kNumbers.find(field.type) == std::string_view::npos)
        runtime.fail(cat("unsupported format character '", printable(std::string_view(&field.type, 1)), "'"));
    if (!value.is_number()) runtime.fail(cat("%", std::string(1, field.type), " format: a number is required, not ", type_name(value)));
    const bool hexadecimal = field.type == 'x' || field.type == 'X' || field.type == 'o';
    if (hexadecimal && value.is(Value::Kind::kFloat)) runtime.fail("%x format: an integer is required, not float");
    add_padded(out, make_text(runtime, number_text(runtime, value, field), true), field, '>');
}

}  // namespace

Value format_percent(Runtime& runtime, const TextPtr& format, const Value& argument) {
    const bool tuple = argument.is_list() && argument.list()->sort() == List::Sort::kTuple;
    const Values values = tuple ? argument.list()->items() : Values{argument};
    const std::string_view text = format->bytes();
    TextBuilder out(runtime);
    size_t used = 0;
    bool by_name = false;
    for (size_t at = 0; at < text.size();) {
        runtime.step();
        const size_t percent = std::min(text.find('%', at), text.size());
        out.add(*format, at, percent);
        if (percent == text.size()) break;
        at = percent + 1;
        if (at < text.size() && text[at] == '%') {
            out.add(*format, at, at + 1);
            ++at;
            continue;
        }
        Value value;
        if (at < text.size() && text[at] == '(') {
            const size_t end = text.find(')', at);
            if (end == std::string_view::npos || !argument.is_dict()) runtime.fail("%(name) needs a dict");
            const Value* found = argument.dict()->find(text.substr(at + 1, end - at - 1));
            if (!found) runtime.fail("%(name): there is no such key");
            value = *found;
            by_name = true;
            at = end + 1;
            add_percent(out, percent_field(runtime, text, at), value, format->markup());
            continue;
        }
        const Field field = percent_field(runtime, text, at);
        if (field.type == '%') {
            out.add("%", true);
            continue;
        }
        if (used >= values.size()) runtime.fail("not enough arguments for format string");
        add_percent(out, field, values[used++], format->markup());
    }
    // Python lets what has items, and so Jinja2's undefined, go unused.
    const bool may_be_unused = argument.is_dict() || argument.is_undefined() || (argument.is_list() && !tuple);
    if (!by_name && used < values.size() && !may_be_unused) {
        runtime.fail("not all arguments converted during string formatting");
    }
    return out.finish(format->markup());
}

namespace {

Field brace_field(Runtime& runtime, std::string_view spec) {
    Field field;
    size_t at = 0;
    const auto is_align = [&](size_t i) { return i < spec.size() && std::string_view("<>^=").find(spec[i]) != std::string_view::npos; };
    const size_t second = offset_of(spec, 1);
    if (!spec.empty() && is_align(second)) {
        field.fill = spec.substr(0, second);
        field.align = spec[second];
        at = second + 1;
    } else if (is_align(0)) {
        field.align = spec[at++];
    }
    if (at < spec.size() && (spec[at] == '+' || spec[at] == ' ' || spec[at] == '-')) field.sign = spec[at] == '-' ? '\0' : spec[at], ++at;
    if (at < spec.size() && spec[at] == '#') field.alternate = true, ++at;
    if (at < spec.size() && spec[at] == '0') field.zero = field.align == 0, ++at;
    field.width = take_number(runtime, spec, at, kWidest);
    if (at < spec.size() && spec[at] == ',') field.comma = true, ++at;
    if (at < spec.size() && spec[at] == '.') field.precision = take_number(runtime, spec, ++at, kMostDigits);
    if (at < spec.size()) field.type = spec[at++];
    if (at < spec.size()) runtime.fail(cat("unknown format '", printable(spec), "'"));
    return field;
}

void add_braces(TextBuilder& out, const Value& value, char conversion, std::string_view spec) {
    Runtime& runtime = out.runtime();
    const Field field = brace_field(runtime, spec);
    if (value.is_number() && conversion == 0 && !(value.is(Value::Kind::kBool) && spec.empty())) {
        return add_padded(out, make_text(runtime, number_text(runtime, value, field), true), field, '>');
    }
    if (field.type != 0 && field.type != 's')
        runtime.fail(cat("format '", std::string(1, field.type), "' needs a number, not ", type_name(value)));
    TextBuilder plain(runtime);
    if (conversion == 'r' || conversion == 'a')
        print_repr(plain, value);
    else
        print(plain, value);
    add_padded(out, cut(runtime, plain.finish(), field.precision), field, '<');
}

/// {name.attribute[key]}: the value it names.
Value named_value(Runtime& runtime, std::string_view name, size_t& next, const Values& positional,
                  const std::vector<std::pair<std::string, Value>>& named) {
    const size_t first_end = std::min(name.find_first_of(".["), name.size());
    const std::string_view first = name.substr(0, first_end);
    std::optional<Value> value;
    const auto index = first.empty() ? std::optional<int64_t>(static_cast<int64_t>(next++)) : parse_int(first);
    if (index && *index >= 0 && *index < static_cast<int64_t>(positional.size())) value = positional[static_cast<size_t>(*index)];
    for (const auto& [given, each] : named) {
        if (!index && given == first) value = each;
    }
    if (!value) runtime.fail(cat("format: no argument for '{", printable(name), "}'"));
    for (size_t at = first_end; at < name.size();) {
        const bool bracket = name[at] == '[';
        const size_t end = bracket ? name.find(']', at) : std::min(name.find_first_of(".[", at + 1), name.size());
        if (end == std::string_view::npos) runtime.fail("format: a '[' without its ']'");
        const std::string_view key = name.substr(at + 1, end - at - 1);
        const auto number = bracket ? parse_int(key) : std::nullopt;
        const TextPtr text = make_text(runtime, std::string(key), true);
        value = number    ? get_item(runtime, *value, *number)
                : bracket ? get_item(runtime, *value, text)
                          : get_attribute(runtime, *value, text);
        at = end + (bracket ? 1 : 0);
    }
    return *value;
}

}  // namespace

Value format_braces(Runtime& runtime, const TextPtr& format, const Values& positional,
                    const std::vector<std::pair<std::string, Value>>& named) {
    const std::string_view text = format->bytes();
    TextBuilder out(runtime);
    size_t next = 0;
    for (size_t at = 0; at < text.size();) {
        runtime.step();
        const size_t brace = std::min(text.find_first_of("{}", at), text.size());
        out.add(*format, at, brace);
        if (brace == text.size()) break;
        if (brace + 1 < text.size() && text[brace + 1] == text[brace]) {
            out.add(*format, brace, brace + 1);
            at = brace + 2;
            continue;
        }
        const size_t end = text.find('}', brace);
        if (text[brace] == '}' || end == std::string_view::npos) runtime.fail("format: a single brace");
        std::string_view field = text.substr(brace + 1, end - brace - 1), spec;
        if (const size_t colon = field.find(':'); colon != std::string_view::npos) {
            spec = field.substr(colon + 1);
            field = field.substr(0, colon);
        }
        if (spec.find('{') != std::string_view::npos) runtime.fail("format: fields within fields are not supported");
        char conversion = 0;
        if (field.size() >= 2 && field[field.size() - 2] == '!') {
            conversion = field.back();
            field.remove_suffix(2);
            if (conversion != 'r' && conversion != 's' && conversion != 'a') runtime.fail("format: unknown conversion");
        }
        const Value value = named_value(runtime, field, next, positional, named);
        if (value.is_undefined() && !spec.empty()) fail_undefined(runtime, value);
        add_braces(out, value, conversion, spec);
        at = end + 1;
    }
    return out.finish(format->markup());
}

}  // namespace hearth::jinja
