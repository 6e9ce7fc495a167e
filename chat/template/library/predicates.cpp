// The tests of templates: what may follow `is`.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "chat/template/library/library.h"
#include "chat/template/values/unicode.h"

namespace hearth::jinja {
namespace {

using Kind = Value::Kind;

void no_arguments(Runtime& runtime, const Args& args) {
    if (!args.empty()) runtime.fail("this test takes no arguments");
}

/// The only argument of a test.
const Value& other(Runtime& runtime, const Args& args) {
    if (args.positional.size() != 1 || !args.named.empty()) runtime.fail("this test takes one argument");
    return args.positional.front();
}

template <bool (*predicate)(const Value&)>
bool simple(Runtime& runtime, const Value& value, const Args& args) {
    no_arguments(runtime, args);
    return predicate(value);
}

bool is_defined(const Value& v) { return !v.is_undefined(); }
bool is_undefined(const Value& v) { return v.is_undefined(); }
bool is_none(const Value& v) { return v.is_none(); }
bool is_boolean(const Value& v) { return v.is(Kind::kBool); }
bool is_true(const Value& v) { return v.is(Kind::kBool) && v.boolean(); }
bool is_false(const Value& v) { return v.is(Kind::kBool) && !v.boolean(); }
bool is_integer(const Value& v) { return v.is(Kind::kInt); }
bool is_float(const Value& v) { return v.is(Kind::kFloat); }
bool is_number(const Value& v) { return v.is_number(); }
bool is_string(const Value& v) { return v.is_text(); }
bool is_mapping(const Value& v) { return v.is_dict(); }
bool is_sequence(const Value& v) { return v.is_undefined() || v.is_text() || v.is_dict() || (v.is_list() && v.list()->indexable()); }
bool is_escaped(const Value& v) { return v.is_text() && v.text()->markup(); }
bool is_callable(const Value& v) {
    return v.is_object(Object::Kind::kMacro) || v.is_object(Object::Kind::kMethod) || v.is_object(Object::Kind::kFunction) ||
           v.is_object(Object::Kind::kLoop) || v.is_undefined();
}

/// All cased characters are of one case, and there is one.
template <bool (*wanted)(uint32_t), bool (*unwanted)(uint32_t)>
bool all_cased(Runtime& runtime, const Value& value, const Args& args) {
    no_arguments(runtime, args);
    const TextPtr text = to_text(runtime, value);
    bool any = false;
    for (size_t at = 0; at < text->size();) {
        const uint32_t c = take_character(text->bytes(), at);
        if (unwanted(c)) return false;
        any |= wanted(c);
    }
    return any;
}

Value remainder(Runtime& runtime, const Value& value, const Value& by) { return calculate(runtime, Arithmetic::kModulo, value, by); }

bool divisible(Runtime& runtime, const Value& value, const Args& args) {
    return equal(runtime, remainder(runtime, value, other(runtime, args)), int64_t{0});
}
bool is_odd(Runtime& runtime, const Value& value, const Args& args) {
    no_arguments(runtime, args);
    return equal(runtime, remainder(runtime, value, int64_t{2}), int64_t{1});
}
bool is_even(Runtime& runtime, const Value& value, const Args& args) {
    no_arguments(runtime, args);
    return equal(runtime, remainder(runtime, value, int64_t{2}), int64_t{0});
}

bool equals(Runtime& runtime, const Value& value, const Args& args) { return equal(runtime, value, other(runtime, args)); }
bool differs(Runtime& runtime, const Value& value, const Args& args) { return !equal(runtime, value, other(runtime, args)); }
bool is_in(Runtime& runtime, const Value& value, const Args& args) { return contains(runtime, other(runtime, args), value); }

template <int low, int high>
bool ordered(Runtime& runtime, const Value& value, const Args& args) {
    const int sign = order(runtime, value, other(runtime, args));
    return sign != kUnordered && sign >= low && sign <= high;
}

bool same_as(Runtime& runtime, const Value& value, const Args& args) {
    const Value& that = other(runtime, args);
    if (value.kind() != that.kind()) return false;
    if (value.is_list()) return value.list() == that.list();
    if (value.is_dict()) return value.dict() == that.dict();
    return equal(runtime, value, that);
}

bool iterable(Runtime& runtime, const Value& value, const Args& args) {
    no_arguments(runtime, args);
    return is_iterable(value);
}

bool is_filter(Runtime&, const Value& value, const Args&) { return value.is_text() && find_filter(value.bytes()) != nullptr; }
bool is_test(Runtime&, const Value& value, const Args&) { return value.is_text() && find_test(value.bytes()) != nullptr; }

constexpr TestRow kTests[] = {
    {"defined", simple<is_defined>},
    {"undefined", simple<is_undefined>},
    {"none", simple<is_none>},
    {"boolean", simple<is_boolean>},
    {"true", simple<is_true>},
    {"false", simple<is_false>},
    {"integer", simple<is_integer>},
    {"float", simple<is_float>},
    {"number", simple<is_number>},
    {"string", simple<is_string>},
    {"mapping", simple<is_mapping>},
    {"sequence", simple<is_sequence>},
    {"iterable", iterable},
    {"callable", simple<is_callable>},
    {"escaped", simple<is_escaped>},
    {"lower", all_cased<is_lower, is_upper>},
    {"upper", all_cased<is_upper, is_lower>},
    {"divisibleby", divisible},
    {"odd", is_odd},
    {"even", is_even},
    {"sameas", same_as},
    {"in", is_in},
    {"filter", is_filter},
    {"test", is_test},
    {"eq", equals},
    {"equalto", equals},
    {"==", equals},
    {"ne", differs},
    {"!=", differs},
    {"lt", ordered<-1, -1>},
    {"lessthan", ordered<-1, -1>},
    {"<", ordered<-1, -1>},
    {"le", ordered<-1, 0>},
    {"<=", ordered<-1, 0>},
    {"gt", ordered<1, 1>},
    {"greaterthan", ordered<1, 1>},
    {">", ordered<1, 1>},
    {"ge", ordered<0, 1>},
    {">=", ordered<0, 1>},
};

}  // namespace

const TestRow* find_test(std::string_view name) {
    const auto found = std::find_if(std::begin(kTests), std::end(kTests), [&](const TestRow& row) { return row.name == name; });
    return found == std::end(kTests) ? nullptr : &*found;
}

}  // namespace hearth::jinja
