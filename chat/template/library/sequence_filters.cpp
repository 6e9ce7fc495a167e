// Filters on lists, dicts, texts and whatever else a loop can go through.
#include <algorithm>

#include "base/text.h"
#include "chat/template/library/attribute_getter.h"
#include "chat/template/library/text_operations.h"
#include "chat/template/values/number.h"

namespace hearth::jinja {

AttributeGetter::AttributeGetter(Runtime& runtime, const Value& attribute, const Value& otherwise)
    : runtime_(runtime), otherwise_(otherwise) {
    if (attribute.is_undefined() || attribute.is_none()) return;
    if (!attribute.is_text()) {
        path_.push_back(attribute);
        return;
    }
    for (const std::string& each : split(attribute.bytes(), '.')) {
        const bool digits = !each.empty() && each.find_first_not_of("0123456789") == std::string::npos;
        const auto number = digits ? parse_int(each) : std::nullopt;
        path_.push_back(number ? Value(*number) : make_string(runtime, each));
    }
}

Value AttributeGetter::operator()(const Value& item) const {
    runtime_.step();
    Value value = item;
    for (const Value& part : path_) {
        value = get_item(runtime_, value, part);
        if (value.is_undefined() && !otherwise_.is_undefined()) value = otherwise_;
    }
    return value;
}

Value ignoring_case(Runtime& runtime, const Value& value, bool case_sensitive) {
    if (case_sensitive || !value.is_text()) return value;
    return recased(runtime, *value.text(), [](uint32_t) { return Case::kLower; });
}

namespace {

Value length(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "length", args, {});
    const auto found = length_of(subject);
    if (!found) runtime.fail(cat("object of type '", type_name(subject), "' has no len()"));
    return *found;
}

Value first(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "first", args, {});
    if (subject.is_text()) return get_item(runtime, subject, int64_t{0});
    const ListPtr items = iterate(runtime, subject);
    return items->size() > 0 ? items->items().front() : Value();
}

Value last(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "last", args, {});
    if (subject.is_text()) return get_item(runtime, subject, int64_t{-1});
    if (subject.is_object(Object::Kind::kGenerator)) runtime.fail("a generator has no last item");
    const ListPtr items = iterate(runtime, subject);
    return items->size() > 0 ? items->items().back() : Value();
}

Value list(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "list", args, {});
    const ListPtr items = iterate(runtime, subject);
    if (items->sort() == List::Sort::kList) return items;
    return make_list(runtime, items->items(), List::Sort::kList, items->trusted());
}

Value join(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "join", args, {"d", "attribute"});
    const AttributeGetter get(runtime, bound[1]);
    const TextPtr between = bound.has(0) ? to_text(runtime, bound[0]) : make_text(runtime, "", true);
    const ListPtr items = iterate(runtime, subject);
    TextBuilder out(runtime);
    for (size_t i = 0; i < items->size(); ++i) {
        if (i > 0) out.add(*between);
        print(out, get(items->items()[i]));
    }
    return out.finish();
}

Value reverse(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "reverse", args, {});
    if (subject.is_text()) return get_slice(runtime, subject, None{}, None{}, int64_t{-1});
    Values items = iterate(runtime, subject)->items();
    std::reverse(items.begin(), items.end());
    return make_generator(runtime, std::move(items));
}

Value items(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "items", args, {});
    if (subject.is_undefined()) return make_generator(runtime, {});
    if (!subject.is_dict()) runtime.fail("Can only get item pairs from a mapping.");
    return make_generator(runtime, find_method(subject, "items")->run(runtime, subject, {}).list()->items());
}

/// `items` in the order of their keys; equal ones stay as they stand.
Values sorted(Runtime& runtime, const Values& items, const Values& keys, bool reversed) {
    std::vector<size_t> places(items.size());
    for (size_t i = 0; i < places.size(); ++i) places[i] = i;
    std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) {
        const int sign = reversed ? order(runtime, keys[b], keys[a]) : order(runtime, keys[a], keys[b]);
        return sign < 0;
    });
    Values out;
    for (const size_t place : places) out.push_back(items[place]);
    return out;
}

Value dictsort(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "dictsort", args, {"case_sensitive", "by", "reverse"});
    if (!subject.is_dict()) runtime.fail(cat("dictsort needs a dict, not ", type_name(subject)));
    const TextPtr by = bound.text(1);
    if (by && by->bytes() != "key" && by->bytes() != "value") runtime.fail("You can only sort by either \"key\" or \"value\"");
    const bool by_value = by && by->bytes() == "value";
    const Value pairs = find_method(subject, "items")->run(runtime, subject, {});
    Values keys;
    for (const auto& [key, value] : subject.dict()->entries())
        keys.push_back(ignoring_case(runtime, by_value ? value : key, bound.truth(0, false)));
    return make_list(runtime, sorted(runtime, pairs.list()->items(), keys, bound.truth(2, false)));
}

Value sort(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "sort", args, {"reverse", "case_sensitive", "attribute"});
    std::vector<AttributeGetter> getters;  // "a,b" sorts by several
    if (bound.has(2) && bound[2].is_text()) {
        for (const std::string& each : split(bound[2].bytes(), ',')) getters.emplace_back(runtime, make_string(runtime, each));
    } else {
        getters.emplace_back(runtime, bound[2]);
    }
    const ListPtr all = iterate(runtime, subject);
    Values keys;
    for (const Value& item : all->items()) {
        Values parts;
        for (const AttributeGetter& get : getters) parts.push_back(ignoring_case(runtime, get(item), bound.truth(1, false)));
        keys.push_back(make_list(runtime, std::move(parts)));  // even of one: undefined keys have no order, lists of them are equal
    }
    return make_list(runtime, sorted(runtime, all->items(), keys, bound.truth(0, false)), List::Sort::kList, all->trusted());
}

Value unique(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "unique", args, {"case_sensitive", "attribute"});
    const AttributeGetter get(runtime, bound[1]);
    DictBuilder seen(runtime);  // the place of the first item of each key
    const ListPtr all = iterate(runtime, subject);
    Values out;
    Values keys;
    for (const Value& item : all->items()) keys.push_back(ignoring_case(runtime, get(item), bound.truth(0, false)));
    for (size_t i = keys.size(); i-- > 0;) seen.set(keys[i], static_cast<int64_t>(i));
    const Value places = seen.finish();
    for (size_t i = 0; i < keys.size(); ++i) {
        if (places.dict()->find(keys[i])->integer() == static_cast<int64_t>(i)) out.push_back(all->items()[i]);
    }
    return make_generator(runtime, std::move(out));
}

template <int wanted>
Value extreme(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, wanted < 0 ? "min" : "max", args, {"case_sensitive", "attribute"});
    const AttributeGetter get(runtime, bound[1]);
    const ListPtr all = iterate(runtime, subject);
    if (all->size() == 0) return {};
    const Value* best = nullptr;
    Value best_key;
    for (const Value& item : all->items()) {
        Value key = ignoring_case(runtime, get(item), bound.truth(0, false));
        if (best && order(runtime, key, best_key) != wanted) continue;
        best = &item;
        best_key = std::move(key);
    }
    return *best;
}

Value sum(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "sum", args, {"attribute", "start"});
    const AttributeGetter get(runtime, bound[0]);
    Value total = bound.has(1) ? bound[1] : Value(int64_t{0});
    const ListPtr all = iterate(runtime, subject);
    if (total.is_text()) runtime.fail("sum() can't sum strings");
    for (const Value& item : all->items()) total = calculate(runtime, Arithmetic::kAdd, total, get(item));
    return total;
}

Value batch(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "batch", args, {"linecount", "fill_with"});
    bound.required(0);
    const int64_t count = bound.integer(0, 1);
    const bool fills = bound.has(1) && !bound[1].is_none();
    if (count <= 0 || (fills && count > runtime.limits().range_items)) runtime.fail("batch(): no such number of items");
    const ListPtr all = iterate(runtime, subject);
    Values out, row;
    for (const Value& item : all->items()) {
        if (static_cast<int64_t>(row.size()) == count) out.push_back(make_list(runtime, std::exchange(row, {})));
        row.push_back(item);
    }
    while (fills && !row.empty() && static_cast<int64_t>(row.size()) < count) row.push_back(bound[1]);
    if (!row.empty()) out.push_back(make_list(runtime, std::move(row)));
    return make_generator(runtime, std::move(out));
}

Value slice_filter(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "slice", args, {"slices", "fill_with"});
    bound.required(0);
    const int64_t slices = bound.integer(0, 1);
    if (slices <= 0 || slices > runtime.limits().range_items) runtime.fail("slice(): no such number of slices");
    const bool fills = bound.has(1) && !bound[1].is_none();
    const ListPtr all = iterate(runtime, subject);
    const auto size = static_cast<int64_t>(all->size()), each = size / slices, longer = size % slices;
    Values out;
    int64_t at = 0;
    for (int64_t i = 0; i < slices; ++i) {
        runtime.step();
        const int64_t end = at + each + (i < longer ? 1 : 0);
        Values row(all->items().begin() + at, all->items().begin() + end);
        if (fills && i >= longer && longer > 0) row.push_back(bound[1]);
        out.push_back(make_list(runtime, std::move(row)));
        at = end;
    }
    return make_generator(runtime, std::move(out));
}

Value groupby(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "groupby", args, {"attribute", "default", "case_sensitive"});
    const AttributeGetter get(runtime, bound.required(0), bound[1]);
    const ListPtr all = iterate(runtime, subject);
    Values keys, places;
    for (size_t i = 0; i < all->size(); ++i) {
        keys.push_back(ignoring_case(runtime, get(all->items()[i]), bound.truth(2, false)));
        places.push_back(static_cast<int64_t>(i));
    }
    Values out, group;
    const Values ordered = sorted(runtime, places, keys, false);
    for (size_t i = 0; i < ordered.size(); ++i) {
        const auto place = static_cast<size_t>(ordered[i].integer());
        group.push_back(all->items()[place]);
        const bool ends = i + 1 == ordered.size() || !equal(runtime, keys[place], keys[static_cast<size_t>(ordered[i + 1].integer())]);
        if (!ends) continue;
        const Value key = get(group.front());
        out.push_back(make_list(runtime, {key, make_list(runtime, std::exchange(group, {}))}, List::Sort::kTuple));
    }
    return make_list(runtime, std::move(out));
}

Value otherwise(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "default", args, {"default_value", "boolean"});
    if (!subject.is_undefined() && !(bound.truth(1, false) && !truthy(subject))) return subject;
    return bound.has(0) ? bound[0] : make_string(runtime, "");
}

Value attr(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "attr", args, {"name"});
    const TextPtr name = to_text(runtime, bound.required(0));
    if (subject.is_dict() && !find_method(subject, name->bytes())) return Undefined{name};  // attributes only, no items
    return get_attribute(runtime, subject, name);
}

constexpr FilterRow kFilters[] = {
    {"length", length},      {"count", length},    {"first", first},       {"last", last},         {"list", list},
    {"join", join},          {"reverse", reverse}, {"items", items},       {"dictsort", dictsort}, {"sort", sort},
    {"unique", unique},      {"min", extreme<-1>}, {"max", extreme<1>},    {"sum", sum},           {"batch", batch},
    {"slice", slice_filter}, {"groupby", groupby}, {"default", otherwise}, {"d", otherwise},       {"attr", attr},
};

}  // namespace

std::span<const FilterRow> sequence_filters() { return kFilters; }

}  // namespace hearth::jinja
