// map, select and their like: filters that take other filters and tests by name. Also the table of all filters.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "chat/template/library/attribute_getter.h"
#include "chat/template/values/number.h"

namespace hearth::jinja {
namespace {

/// `args` without the first `count` positional ones.
Args behind(const Args& args, size_t count) {
    Args out = args;
    out.positional.erase(out.positional.begin(), out.positional.begin() + static_cast<std::ptrdiff_t>(count));
    return out;
}

Value map(Runtime& runtime, const Value& subject, const Args& args) {
    if (!truthy(subject)) return make_generator(runtime, {});  // Jinja2 takes none, 0 and the like for an empty list here
    const ListPtr all = iterate(runtime, subject);
    Values out;
    if (args.positional.empty()) {
        const Bound bound(runtime, "map", args, {"attribute", "default"});
        const AttributeGetter get(runtime, bound.required(0), bound[1]);
        for (const Value& item : all->items()) out.push_back(get(item));
        return make_generator(runtime, std::move(out));
    }
    const TextPtr name = to_text(runtime, args.positional.front());
    const FilterRow* filter = find_filter(name->bytes());
    if (!filter) runtime.fail(cat("no filter named '", printable(name->bytes()), "'"));
    const Args rest = behind(args, 1);
    for (const Value& item : all->items()) {
        runtime.step();
        out.push_back(filter->run(runtime, item, rest));
    }
    return make_generator(runtime, std::move(out));
}

template <bool by_attribute, bool keeps>
Value select(Runtime& runtime, const Value& subject, const Args& args) {
    if (!truthy(subject)) return make_generator(runtime, {});
    constexpr size_t kOwn = by_attribute ? 1 : 0;
    if (args.positional.size() < kOwn) runtime.fail("selectattr() needs an attribute");
    const AttributeGetter get(runtime, by_attribute ? args.positional.front() : Value());
    const TestRow* test = nullptr;
    Args rest;
    if (args.positional.size() > kOwn) {
        const TextPtr name = to_text(runtime, args.positional[kOwn]);
        test = find_test(name->bytes());
        if (!test) runtime.fail(cat("no test named '", printable(name->bytes()), "'"));
        rest = behind(args, kOwn + 1);
    }
    const ListPtr all = iterate(runtime, subject);
    Values out;
    for (const Value& item : all->items()) {
        runtime.step();
        const Value value = get(item);
        if ((test ? test->run(runtime, value, rest) : truthy(value)) == keeps) out.push_back(item);
    }
    return make_generator(runtime, std::move(out));
}

Value to_int(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "int", args, {"default", "base"});
    const Value fallback = bound.has(0) ? bound[0] : Value(int64_t{0});
    if (subject.is_integral()) return subject.integer();
    std::optional<double> number;
    if (subject.is(Value::Kind::kFloat)) number = subject.number();
    if (subject.is_undefined()) fail_undefined(runtime, subject);
    if (subject.is_text()) {
        const int64_t base = bound.integer(1, 10);
        if (const auto value = parse_int(subject.bytes(), base < 0 || base > 36 ? 1 : static_cast<int>(base))) return *value;
        number = parse_float(subject.bytes());
    }
    if (!number || std::isnan(*number)) return fallback;
    const auto whole = truncate_float(*number);
    if (!whole) runtime.fail("int: more than 64 bits");
    return *whole;
}

Value to_float(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "float", args, {"default"});
    if (subject.is_number()) return subject.number();
    if (subject.is_undefined()) fail_undefined(runtime, subject);
    if (subject.is_text()) {
        if (const auto value = parse_float(subject.bytes())) return *value;
    }
    return bound.has(0) ? bound[0] : Value(0.0);
}

Value absolute(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "abs", args, {});
    if (!subject.is_number()) runtime.fail(cat("abs() of ", type_name(subject)));
    if (subject.is(Value::Kind::kFloat)) return std::abs(subject.number());
    return subject.integer() < 0 ? negate(runtime, subject) : Value(subject.integer());
}

Value round(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "round", args, {"precision", "method"});
    if (!subject.is_number()) runtime.fail(cat("round() of ", type_name(subject)));
    const TextPtr method = bound.text(1);
    const int64_t digits = bound.integer(0, 0);
    if (digits < -400 || digits > 400) runtime.fail("round(): no such precision");
    const double factor = std::pow(10.0, static_cast<double>(digits));
    if (!method || method->bytes() == "common") {
        if (subject.is_integral() && digits >= 0) return subject.integer();
        const double value = round_half_even(subject.number(), static_cast<int>(digits));
        return subject.is_integral() ? Value(truncate_float(value).value_or(0)) : Value(value);
    }
    if (method->bytes() == "ceil") return (std::ceil(subject.number() * factor) + 0.0) / factor;  // + 0.0: Python has no -0 here
    if (method->bytes() == "floor") return (std::floor(subject.number() * factor) + 0.0) / factor;
    runtime.fail("method must be common, ceil or floor");
}

constexpr FilterRow kSelecting[] = {
    {"map", map},
    {"select", select<false, true>},
    {"reject", select<false, false>},
    {"selectattr", select<true, true>},
    {"rejectattr", select<true, false>},
};

constexpr FilterRow kNumbers[] = {{"int", to_int}, {"float", to_float}, {"abs", absolute}, {"round", round}};

}  // namespace

std::span<const FilterRow> selecting_filters() { return kSelecting; }
std::span<const FilterRow> number_filters() { return kNumbers; }

const FilterRow* find_filter(std::string_view name) {
    for (const auto rows : {text_filters(), sequence_filters(), selecting_filters(), number_filters()}) {
        for (const FilterRow& row : rows) {
            if (row.name == name) return &row;
        }
    }
    return nullptr;
}

}  // namespace hearth::jinja
