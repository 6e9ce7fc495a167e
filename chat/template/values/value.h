// What a template computes with: values like those of JSON, and a few objects of the interpreter. Nothing of the host.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "chat/template/values/text.h"

namespace hearth::jinja {

class List;
class Dict;
using ListPtr = std::shared_ptr<const List>;
using DictPtr = std::shared_ptr<const Dict>;

/// What a name, attribute or item that is not there gives: prints as nothing, is false; using it further is an error that names it.
struct Undefined {
    TextPtr name;  // may be null
};
struct None {};

/// A value of Python as far as templates see one. Immutable but for objects. Cheap to copy.
class Value {
public:
    enum class Kind : uint8_t { kUndefined, kNone, kBool, kInt, kFloat, kText, kList, kDict, kObject };

    Value() = default;  // undefined, without a name
    Value(Undefined u) : data_(std::move(u)) {}
    Value(None n) : data_(n) {}
    Value(bool b) : data_(b) {}
    Value(int64_t i) : data_(i) {}
    Value(double d) : data_(d) {}
    Value(TextPtr t) : data_(std::move(t)) {}
    Value(ListPtr l) : data_(std::move(l)) {}
    Value(DictPtr d) : data_(std::move(d)) {}
    Value(Object* o) : data_(o) {}
    Value(const void*) = delete;  // would become a bool

    Kind kind() const { return static_cast<Kind>(data_.index()); }
    bool is(Kind k) const { return kind() == k; }
    bool is_undefined() const { return is(Kind::kUndefined); }
    bool is_none() const { return is(Kind::kNone); }
    bool is_text() const { return is(Kind::kText); }
    bool is_list() const { return is(Kind::kList); }
    bool is_dict() const { return is(Kind::kDict); }
    bool is_integral() const { return is(Kind::kInt) || is(Kind::kBool); }  // a bool is an int in Python
    bool is_number() const { return is_integral() || is(Kind::kFloat); }
    bool is_object(Object::Kind k) const { return is(Kind::kObject) && object()->kind == k; }

    const Undefined& undefined() const { return std::get<Undefined>(data_); }
    bool boolean() const { return std::get<bool>(data_); }
    int64_t integer() const { return is(Kind::kBool) ? int64_t{boolean()} : std::get<int64_t>(data_); }
    double number() const { return is(Kind::kFloat) ? std::get<double>(data_) : static_cast<double>(integer()); }
    const TextPtr& text() const { return std::get<TextPtr>(data_); }
    std::string_view bytes() const { return text()->bytes(); }
    const ListPtr& list() const { return std::get<ListPtr>(data_); }
    const DictPtr& dict() const { return std::get<DictPtr>(data_); }
    Object* object() const { return std::get<Object*>(data_); }
    template <class T>
    T& as() const {
        return static_cast<T&>(*object());
    }

private:
    std::variant<Undefined, None, bool, int64_t, double, TextPtr, ListPtr, DictPtr, Object*> data_;
};

using Values = std::vector<Value>;

/// Lists, tuples, ranges and the views of a dict. `trusted`: made by the template; else its brackets count as a person's text, too.
class List : public Counted {
public:
    enum class Sort : uint8_t { kList, kTuple, kRange, kKeys, kValues, kItems };
    List(Runtime* runtime, Values items, Sort sort, bool trusted, int depth)
        : Counted(runtime, static_cast<int64_t>(items.size() * sizeof(Value) + sizeof(List))),
          items_(std::move(items)),
          depth_(depth),
          sort_(sort),
          trusted_(trusted) {}

    const Values& items() const { return items_; }
    size_t size() const { return items_.size(); }
    int depth() const { return depth_; }
    Sort sort() const { return sort_; }
    bool trusted() const { return trusted_; }
    bool indexable() const { return sort_ <= Sort::kRange; }

private:
    const Values items_;
    const int depth_;
    const Sort sort_;
    const bool trusted_;
};

/// In the order of insertion.
class Dict : public Counted {
public:
    using Entries = std::vector<std::pair<Value, Value>>;
    Dict(Runtime* runtime, Entries entries, std::map<std::string, size_t> index, bool trusted, int depth)
        : Counted(runtime, static_cast<int64_t>(entries.size() * (sizeof(entries[0]) + 96) + sizeof(Dict))),
          entries_(std::move(entries)),
          index_(std::move(index)),
          depth_(depth),
          trusted_(trusted) {}

    const Entries& entries() const { return entries_; }
    size_t size() const { return entries_.size(); }
    int depth() const { return depth_; }
    bool trusted() const { return trusted_; }

    /// Null when there is none. A key that cannot be one (a list, a dict) is never there.
    const Value* find(std::string_view key) const;
    const Value* find(const Value& key) const;

private:
    const Entries entries_;
    const std::map<std::string, size_t> index_;  // of large ones; ordered, because no choice of keys makes it slow
    const int depth_;
    const bool trusted_;
};

/// Gathers a Dict; a later value of the same key replaces the earlier one in its place.
class DictBuilder {
public:
    explicit DictBuilder(Runtime& runtime) : runtime_(runtime) {}
    void set(Value key, Value value);  // throws Error if the key is a list or a dict
    Value finish(bool trusted = true);

private:
    Runtime& runtime_;
    Dict::Entries entries_;
    std::map<std::string, size_t> index_;
};

/// Values that change, and can therefore contain themselves.
struct Namespace : Object {
    Namespace() : Object(Kind::kNamespace) {}
    std::unordered_map<std::string, Value> fields;
};

/// What map, select and their like give in Python: can be gone through once.
struct Generator : Object {
    explicit Generator(ListPtr l) : Object(Kind::kGenerator), items(std::move(l)) {}
    ListPtr items;  // null once used up
};

constexpr int kMaxNesting = 200;  // of lists and dicts in each other: bounds the recursion of whoever walks them

/// Throws Error when `items` are nested too deeply.
Value make_list(Runtime& runtime, Values items, List::Sort sort = List::Sort::kList, bool trusted = true);
Value make_generator(Runtime& runtime, Values items);
inline Value make_string(Runtime& runtime, std::string bytes, bool trusted = true) { return make_text(runtime, std::move(bytes), trusted); }

bool truthy(const Value& value);

/// Python's name of the type: "str", "NoneType", "dict".
std::string_view type_name(const Value& value);

/// len(), or nothing where Python has none. Characters of a text, not bytes.
std::optional<int64_t> length_of(const Value& value);

/// What `for` goes through; a generator is used up by it. Throws Error for what is not iterable.
ListPtr iterate(Runtime& runtime, const Value& value);
bool is_iterable(const Value& value);

/// Python's ==, and the order of < and its like: negative, zero, positive, or kUnordered (NaN). order() throws Error for what has none.
bool equal(Runtime& runtime, const Value& a, const Value& b);
constexpr int kUnordered = 2;
int order(Runtime& runtime, const Value& a, const Value& b);
bool contains(Runtime& runtime, const Value& container, const Value& item);

/// str() and repr(), added to `out`.
void print(TextBuilder& out, const Value& value);
void print_repr(TextBuilder& out, const Value& value);
TextPtr to_text(Runtime& runtime, const Value& value);

/// Throws the error that Python's Jinja2 gives for using `value` further.
[[noreturn]] void fail_undefined(Runtime& runtime, const Value& value);

/// Binary + - * / // % **.
enum class Arithmetic : uint8_t { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };
Value calculate(Runtime& runtime, Arithmetic op, const Value& a, const Value& b);
Value negate(Runtime& runtime, const Value& a);

}  // namespace hearth::jinja
