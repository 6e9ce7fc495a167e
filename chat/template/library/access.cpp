// object.name, object[key], object[a:b:c].
#include "base/text.h"
#include "chat/template/library/library.h"
#include "chat/template/values/unicode.h"

namespace hearth::jinja {
namespace {

/// A method as a value; nothing when there is none; undefined for one that would change the value.
std::optional<Value> method_value(Runtime& runtime, const Value& object, const TextPtr& name) {
    if (object.is_object(Object::Kind::kNamespace)) {
        const auto& fields = object.as<Namespace>().fields;
        const auto found = fields.find(std::string(name->bytes()));
        return found == fields.end() ? std::nullopt : std::optional(found->second);
    }
    const MethodRow* method = find_method(object, name->bytes());
    if (!method) return std::nullopt;
    if (!method->run) return Value(Undefined{name});
    return Value(runtime.make<Method>(object, method));
}

Value character(Runtime& runtime, const TextPtr& text, int64_t index) {
    const std::string_view bytes = text->bytes();
    runtime.work(bytes.size());
    if (index < 0) index += static_cast<int64_t>(count_characters(bytes));
    if (index < 0) return {};
    const size_t begin = offset_of(bytes, static_cast<size_t>(index));
    if (begin >= bytes.size()) return {};
    return slice(runtime, text, begin, begin + offset_of(bytes.substr(begin), 1));
}

/// object[key] of Python, or nothing where Python has an error.
std::optional<Value> item(Runtime& runtime, const Value& object, const Value& key) {
    if (object.is_dict()) {
        const Value* found = object.dict()->find(key);
        return found ? std::optional(*found) : std::nullopt;
    }
    if (!key.is_integral()) return std::nullopt;
    int64_t index = key.integer();
    if (object.is_text()) {
        Value found = character(runtime, object.text(), index);
        return found.is_text() ? std::optional(found) : std::nullopt;
    }
    if (!object.is_list() || !object.list()->indexable()) return std::nullopt;
    const auto size = static_cast<int64_t>(object.list()->size());
    if (index < 0) index += size;
    return index >= 0 && index < size ? std::optional(object.list()->items()[static_cast<size_t>(index)]) : std::nullopt;
}

struct Steps {
    int64_t start, step, count;
};

/// Which indices start:stop:step means for `size` items.
Steps steps_of(Runtime& runtime, int64_t size, const Value& start, const Value& stop, const Value& step) {
    const auto number = [&](const Value& value, int64_t otherwise) {
        if (value.is_none()) return otherwise;
        if (!value.is_integral()) runtime.fail(cat("an index of a slice must be an int or none, not ", type_name(value)));
        return value.integer();
    };
    const int64_t by = number(step, 1);
    if (by == 0) runtime.fail("the step of a slice is 0");
    const int64_t lowest = by > 0 ? 0 : -1, highest = by > 0 ? size : size - 1;
    const auto clamped = [&](const Value& value, int64_t otherwise) {
        int64_t at = number(value, otherwise);
        if (value.is_none()) return at;
        if (at < 0) at = at < -size ? -1 : at + size;
        return std::clamp(at, lowest, highest);
    };
    const int64_t from = clamped(start, by > 0 ? lowest : highest), to = clamped(stop, by > 0 ? highest : lowest);
    const int64_t distance = by > 0 ? to - from : from - to;
    // -INT64_MIN does not exist, but no list is that long either.
    const int64_t stride = by > 0 ? by : by == INT64_MIN ? INT64_MAX : -by;
    return {from, by, distance <= 0 ? 0 : (distance - 1) / stride + 1};
}

Value slice_text(Runtime& runtime, const TextPtr& text, const Value& start, const Value& stop, const Value& step) {
    const std::string_view bytes = text->bytes();
    runtime.work(bytes.size() * 4);
    const size_t length = count_characters(bytes);
    const Steps steps = steps_of(runtime, static_cast<int64_t>(length), start, stop, step);
    if (steps.count == 0) return make_string(runtime, "");
    const auto offset = [&](int64_t at) {
        return length == bytes.size() ? static_cast<size_t>(at) : offset_of(bytes, static_cast<size_t>(at));
    };
    if (steps.step == 1) return slice(runtime, text, offset(steps.start), offset(steps.start + steps.count));
    runtime.step(steps.count);
    std::vector<size_t> begins;  // of each character, and the end
    for (size_t at = 0; at < bytes.size(); take_character(bytes, at)) begins.push_back(at);
    begins.push_back(bytes.size());
    TextBuilder out(runtime);
    for (int64_t i = 0; i < steps.count; ++i) {
        const auto at = static_cast<size_t>(steps.start + i * steps.step);
        out.add(*text, begins[at], begins[at + 1]);
    }
    return out.finish(text->markup());
}

}  // namespace

Value get_attribute(Runtime& runtime, const Value& object, const TextPtr& name) {
    if (object.is_undefined()) fail_undefined(runtime, object);
    if (auto method = method_value(runtime, object, name)) return *method;
    if (object.is_dict()) {
        if (const Value* found = object.dict()->find(name->bytes())) return *found;
    }
    return Undefined{name};
}

Value get_item(Runtime& runtime, const Value& object, const Value& key) {
    if (object.is_undefined()) fail_undefined(runtime, object);
    if (auto found = item(runtime, object, key)) return *found;
    if (key.is_undefined()) return {};
    if (!key.is_text()) return Undefined{to_text(runtime, key)};
    if (auto method = method_value(runtime, object, key.text())) return *method;
    return Undefined{key.text()};
}

Value get_slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step) {
    if (object.is_undefined()) fail_undefined(runtime, object);
    if (object.is_text()) return slice_text(runtime, object.text(), start, stop, step);
    if (!object.is_list() || !object.list()->indexable()) runtime.fail(cat("a ", type_name(object), " cannot be sliced"));
    const List& list = *object.list();
    const Steps steps = steps_of(runtime, static_cast<int64_t>(list.size()), start, stop, step);
    runtime.step(steps.count / 4);
    Values items;
    for (int64_t i = 0; i < steps.count; ++i) items.push_back(list.items()[static_cast<size_t>(steps.start + i * steps.step)]);
    return make_list(runtime, std::move(items), list.sort(), list.trusted());
}

}  // namespace hearth::jinja
