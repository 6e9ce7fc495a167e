// ==, < and `in` as Python has them.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "chat/template/values/value.h"

namespace hearth::jinja {
namespace {

int sign(auto a, auto b) { return a < b ? -1 : a > b ? 1 : a == b ? 0 : kUnordered; }

bool same_kind_of_sequence(const List& a, const List& b) {
    return a.sort() == b.sort() && a.sort() != List::Sort::kValues;  // views of values are equal to nothing
}

bool equal_lists(Runtime& runtime, const List& a, const List& b) {
    if (!same_kind_of_sequence(a, b) || a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
        if (!equal(runtime, a.items()[i], b.items()[i])) return false;
    }
    return true;
}

bool equal_dicts(Runtime& runtime, const Dict& a, const Dict& b) {
    if (a.size() != b.size()) return false;
    for (const auto& [key, value] : a.entries()) {
        const Value* other = b.find(key);
        if (!other || !equal(runtime, value, *other)) return false;
    }
    return true;
}

}  // namespace

bool equal(Runtime& runtime, const Value& a, const Value& b) {
    runtime.step();
    if (a.is_number() && b.is_number()) {
        if (a.is_integral() && b.is_integral()) return a.integer() == b.integer();
        return a.number() == b.number();
    }
    if (a.kind() != b.kind()) return false;
    switch (a.kind()) {
        case Value::Kind::kText: return a.bytes() == b.bytes();
        case Value::Kind::kList: return equal_lists(runtime, *a.list(), *b.list());
        case Value::Kind::kDict: return equal_dicts(runtime, *a.dict(), *b.dict());
        case Value::Kind::kObject: return a.object() == b.object();
        default: return true;  // none and undefined
    }
}

int order(Runtime& runtime, const Value& a, const Value& b) {
    runtime.step();
    if (a.is_number() && b.is_number()) {
        if (a.is_integral() && b.is_integral()) return sign(a.integer(), b.integer());
        return sign(a.number(), b.number());
    }
    if (a.is_text() && b.is_text()) return sign(a.bytes().compare(b.bytes()), 0);  // order of bytes is order of characters
    if (a.is_list() && b.is_list() && a.list()->sort() == b.list()->sort() && a.list()->sort() <= List::Sort::kTuple) {
        const Values &left = a.list()->items(), &right = b.list()->items();
        for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
            if (!equal(runtime, left[i], right[i])) return order(runtime, left[i], right[i]);
        }
        return sign(left.size(), right.size());
    }
    if (a.is_undefined()) fail_undefined(runtime, a);
    if (b.is_undefined()) fail_undefined(runtime, b);
    runtime.fail(cat("'", type_name(a), "' and '", type_name(b), "' have no order"));
}

bool contains(Runtime& runtime, const Value& container, const Value& item) {
    if (container.is_text()) {
        if (item.is_undefined()) fail_undefined(runtime, item);
        if (!item.is_text()) runtime.fail(cat("'in' of a str needs a str, not ", type_name(item)));
        runtime.work(container.text()->size());
        // memmem is linear in both, std::string_view::find is not.
        return item.text()->size() == 0 ||
               memmem(container.bytes().data(), container.text()->size(), item.bytes().data(), item.text()->size()) != nullptr;
    }
    if (container.is_dict()) {
        if (item.is_dict() || (item.is_list() && item.list()->sort() != List::Sort::kTuple)) {
            runtime.fail(cat("unhashable type: '", type_name(item), "'"));
        }
        return container.dict()->find(item) != nullptr;
    }
    const ListPtr items = iterate(runtime, container);
    return std::any_of(items->items().begin(), items->items().end(), [&](const Value& each) { return equal(runtime, each, item); });
}

}  // namespace hearth::jinja
