// Methods of dict, list and tuple. Those that would change their value are known by name and refused.
#include "base/text.h"
#include "chat/template/library/library.h"

namespace hearth::jinja {
namespace {

template <List::Sort sort>
Value view(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "items", args, {});
    const Dict& dict = *self.dict();
    runtime.step(static_cast<int64_t>(dict.size()));
    Values items;
    for (const auto& [key, value] : dict.entries()) {
        if (sort == List::Sort::kItems) {
            items.push_back(make_list(runtime, {key, value}, List::Sort::kTuple, dict.trusted()));
        } else {
            items.push_back(sort == List::Sort::kKeys ? key : value);
        }
    }
    return make_list(runtime, std::move(items), sort, dict.trusted());
}

Value get(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "get", args, {"key", "default"});
    const Value& key = bound.required(0);
    if (key.is_dict() || (key.is_list() && key.list()->sort() != List::Sort::kTuple))
        runtime.fail(cat("unhashable type: '", type_name(key), "'"));
    if (const Value* found = self.dict()->find(key)) return *found;
    return bound.has(1) ? bound[1] : Value(None{});
}

Value copy(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "copy", args, {});
    return self;  // values do not change
}

Value count(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "count", args, {"value"});
    int64_t found = 0;
    for (const Value& item : self.list()->items()) found += equal(runtime, item, bound.required(0));
    return found;
}

Value index(Runtime& runtime, const Value& self, const Args& args) {
    const Bound bound(runtime, "index", args, {"value"});
    for (size_t i = 0; i < self.list()->size(); ++i) {
        if (equal(runtime, self.list()->items()[i], bound.required(0))) return static_cast<int64_t>(i);
    }
    runtime.fail("index: the value is not in the list");
}

constexpr MethodRow kDictMethods[] = {
    {"items", view<List::Sort::kItems>},
    {"keys", view<List::Sort::kKeys>},
    {"values", view<List::Sort::kValues>},
    {"get", get},
    {"copy", copy},
    {"clear", nullptr},
    {"pop", nullptr},
    {"popitem", nullptr},
    {"setdefault", nullptr},
    {"update", nullptr},
};

constexpr MethodRow kListMethods[] = {
    {"count", count},    {"index", index}, {"copy", copy},      {"append", nullptr},  {"clear", nullptr}, {"extend", nullptr},
    {"insert", nullptr}, {"pop", nullptr}, {"remove", nullptr}, {"reverse", nullptr}, {"sort", nullptr},
};

constexpr size_t kNumTupleMethods = 2;  // of the list's: those that a tuple has, too

}  // namespace

std::span<const MethodRow> dict_methods() { return kDictMethods; }
std::span<const MethodRow> list_methods() { return kListMethods; }

const MethodRow* find_method(const Value& self, std::string_view name) {
    std::span<const MethodRow> rows;
    if (self.is_text()) rows = text_methods();
    if (self.is_dict()) rows = dict_methods();
    if (self.is_list() && self.list()->sort() == List::Sort::kList) rows = list_methods();
    if (self.is_list() && self.list()->sort() == List::Sort::kTuple) rows = list_methods().first(kNumTupleMethods);
    for (const MethodRow& row : rows) {
        if (row.name == name) return &row;
    }
    return nullptr;
}

}  // namespace hearth::jinja
