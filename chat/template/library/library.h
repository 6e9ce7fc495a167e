// What templates can call: filters, tests, methods of values, functions. Tables of plain functions.
#pragma once

#include <span>
#include <string_view>

#include "chat/template/values/value.h"

namespace hearth::jinja {

/// What a call brings.
struct Args {
    Values positional;
    std::vector<std::pair<std::string, Value>> named;
    bool empty() const { return positional.empty() && named.empty(); }
};

/// Arguments by the names of a function's parameters, in their order. Throws Error for one too many, one twice, one unknown.
class Bound {
public:
    Bound(Runtime& runtime, std::string_view function, const Args& args, std::initializer_list<std::string_view> parameters);

    bool has(size_t i) const { return values_[i] != nullptr; }
    const Value& operator[](size_t i) const;  // undefined when it was not given
    const Value& required(size_t i) const;    // throws Error when it was not given
    bool truth(size_t i, bool otherwise) const { return has(i) ? truthy(*values_[i]) : otherwise; }
    int64_t integer(size_t i, int64_t otherwise) const;  // throws Error when it is not an int
    TextPtr text(size_t i) const;                        // null when absent or none; throws Error when it is not a text

private:
    [[noreturn]] void fail_type(size_t i, std::string_view expected) const;

    static constexpr size_t kMost = 6;
    Runtime& runtime_;
    std::string_view function_;
    std::string_view names_[kMost];
    const Value* values_[kMost] = {};
};

struct FilterRow {
    std::string_view name;
    Value (*run)(Runtime&, const Value& subject, const Args&);
};
struct TestRow {
    std::string_view name;
    bool (*run)(Runtime&, const Value& subject, const Args&);
};
/// A method of texts, dicts or lists. `run` is null for those that would change the value: reading them gives undefined.
struct MethodRow {
    std::string_view name;
    Value (*run)(Runtime&, const Value& self, const Args&);
};
struct FunctionRow {
    std::string_view name;
    Value (*run)(Runtime&, const Args&);
};

/// Null when there is none.
const FilterRow* find_filter(std::string_view name);
const TestRow* find_test(std::string_view name);
const MethodRow* find_method(const Value& self, std::string_view name);
std::span<const FunctionRow> functions();

/// `object.name` and `object[key]` as Jinja2 has them: attribute first or item
/// first, undefined when there is neither. Throws Error for undefined objects.
Value get_attribute(Runtime& runtime, const Value& object, const TextPtr& name);
Value get_item(Runtime& runtime, const Value& object, const Value& key);
Value get_slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step);

/// A method that was read but not called yet, and a function.
struct Method : Object {
    Method(Value s, const MethodRow* r) : Object(Kind::kMethod), self(std::move(s)), row(r) {}
    Value self;
    const MethodRow* row;
};
struct Function : Object {
    explicit Function(const FunctionRow* r) : Object(Kind::kFunction), row(r) {}
    const FunctionRow* row;
};

// The parts that the tables are made of, each in the file of its name.
std::span<const FilterRow> text_filters();
std::span<const FilterRow> sequence_filters();
std::span<const FilterRow> selecting_filters();
std::span<const FilterRow> number_filters();
std::span<const MethodRow> text_methods();
std::span<const MethodRow> dict_methods();
std::span<const MethodRow> list_methods();
Value filter_tojson(Runtime& runtime, const Value& subject, const Args& args);

}  // namespace hearth::jinja
