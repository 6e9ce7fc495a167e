#include "chat/template/values/value.h"

#include <bit>
#include <cmath>

#include "base/text.h"
#include "chat/template/values/unicode.h"

namespace hearth::jinja {
namespace {

constexpr size_t kLongestKey = 1 << 20;  // bytes of a tuple as a key: one that holds another twice, and so on, has no end
constexpr size_t kFewEntries = 8;        // up to here looking through all is quicker than an index

/// A text that two values share exactly when they are the same key. False when `key` cannot be one.
bool encode_key(const Value& key, std::string& out) {
    switch (key.kind()) {
        case Value::Kind::kText: out.append("s").append(std::to_string(key.text()->size())).append(":").append(key.bytes()); return true;
        case Value::Kind::kBool:
        case Value::Kind::kInt: out += cat("i", key.integer(), ";"); return true;
        case Value::Kind::kFloat: {
            const double d = key.number();
            if (d == std::floor(d) && std::abs(d) < 9e18) {
                out += cat("i", static_cast<int64_t>(d), ";");
            } else {
                out += cat("f", std::bit_cast<uint64_t>(d), ";");
            }
            return true;
        }
        case Value::Kind::kNone: out += "n"; return true;
        case Value::Kind::kUndefined: out += "u"; return true;
        case Value::Kind::kObject: out += cat("o", static_cast<const void*>(key.object()), ";"); return true;
        case Value::Kind::kDict: return false;
        case Value::Kind::kList: break;
    }
    if (key.list()->sort() != List::Sort::kTuple) return false;
    out += "(";
    for (const Value& item : key.list()->items()) {
        if (!encode_key(item, out) || out.size() > kLongestKey) return false;
    }
    out += ")";
    return true;
}

template <class Entries>
const Value* find_key(const Entries& entries, const std::map<std::string, size_t>& index, const Value& key, const std::string& encoded) {
    if (!index.empty()) {
        const auto found = index.find(encoded);
        return found == index.end() ? nullptr : &entries[found->second].second;
    }
    std::string other;
    for (const auto& entry : entries) {
        if (key.is_text() && entry.first.is_text()) {
            if (key.bytes() == entry.first.bytes()) return &entry.second;
            continue;
        }
        other.clear();
        if (encode_key(entry.first, other) && other == encoded) return &entry.second;
    }
    return nullptr;
}

int depth_of(const Value& value) {
    if (value.is_list()) return value.list()->depth();
    return value.is_dict() ? value.dict()->depth() : 0;
}

int checked_depth(Runtime& runtime, int depth) {
    if (depth > kMaxNesting) runtime.fail(cat("lists and dicts nested more than ", kMaxNesting, " deep"));
    return depth;
}

}  // namespace

const Value* Dict::find(std::string_view key) const {
    if (index_.empty()) {
        for (const auto& [name, value] : entries_) {
            if (name.is_text() && name.bytes() == key) return &value;
        }
        return nullptr;
    }
    const auto found = index_.find(cat("s", key.size(), ":", key));
    return found == index_.end() ? nullptr : &entries_[found->second].second;
}

const Value* Dict::find(const Value& key) const {
    if (key.is_text()) return find(key.bytes());
    std::string encoded;
    return encode_key(key, encoded) ? find_key(entries_, index_, key, encoded) : nullptr;
}

void DictBuilder::set(Value key, Value value) {
    std::string encoded;
    if (!encode_key(key, encoded)) runtime_.fail(cat("a ", type_name(key), " cannot be the key of a dict"));
    if (const Value* old = find_key(entries_, index_, key, encoded)) {
        *const_cast<Value*>(old) = std::move(value);  // the entries are ours and not const
        return;
    }
    entries_.emplace_back(std::move(key), std::move(value));
    if (entries_.size() == kFewEntries + 1) {
        for (size_t i = 0; i + 1 < entries_.size(); ++i) {
            std::string each;
            encode_key(entries_[i].first, each);
            index_.emplace(std::move(each), i);
        }
    }
    if (entries_.size() > kFewEntries) index_.emplace(std::move(encoded), entries_.size() - 1);
}

Value DictBuilder::finish(bool trusted) {
    int depth = 0;
    for (const auto& [key, value] : entries_) depth = std::max({depth, depth_of(key), depth_of(value)});
    checked_depth(runtime_, depth + 1);
    return DictPtr(std::make_shared<const Dict>(&runtime_, std::move(entries_), std::move(index_), trusted, depth + 1));
}

Value make_list(Runtime& runtime, Values items, List::Sort sort, bool trusted) {
    int depth = 0;
    for (const Value& item : items) depth = std::max(depth, depth_of(item));
    checked_depth(runtime, depth + 1);
    runtime.step(static_cast<int64_t>(items.size() / 16));
    return ListPtr(std::make_shared<const List>(&runtime, std::move(items), sort, trusted, depth + 1));
}

Value make_generator(Runtime& runtime, Values items) { return runtime.make<Generator>(make_list(runtime, std::move(items)).list()); }

bool truthy(const Value& value) {
    switch (value.kind()) {
        case Value::Kind::kUndefined:
        case Value::Kind::kNone: return false;
        case Value::Kind::kBool: return value.boolean();
        case Value::Kind::kInt: return value.integer() != 0;
        case Value::Kind::kFloat: return value.number() != 0;
        case Value::Kind::kText: return value.text()->size() != 0;
        case Value::Kind::kList: return value.list()->size() != 0;
        case Value::Kind::kDict: return value.dict()->size() != 0;
        case Value::Kind::kObject: return true;
    }
    return false;
}

std::string_view type_name(const Value& value) {
    constexpr std::string_view kLists[] = {"list", "tuple", "range", "dict_keys", "dict_values", "dict_items"};
    constexpr std::string_view kObjects[] = {"Namespace", "Macro", "method", "function", "LoopContext", "generator", "scope"};
    switch (value.kind()) {
        case Value::Kind::kUndefined: return "Undefined";
        case Value::Kind::kNone: return "NoneType";
        case Value::Kind::kBool: return "bool";
        case Value::Kind::kInt: return "int";
        case Value::Kind::kFloat: return "float";
        case Value::Kind::kText: return "str";
        case Value::Kind::kList: return kLists[static_cast<size_t>(value.list()->sort())];
        case Value::Kind::kDict: return "dict";
        case Value::Kind::kObject: return kObjects[static_cast<size_t>(value.object()->kind)];
    }
    return "?";
}

void fail_undefined(Runtime& runtime, const Value& value) {
    const Undefined& u = value.undefined();
    if (!u.name) runtime.fail("an undefined value was used");
    runtime.fail(cat("'", printable(u.name->bytes()), "' is undefined"));
}

std::optional<int64_t> length_of(const Value& value) {
    switch (value.kind()) {
        case Value::Kind::kUndefined: return 0;
        case Value::Kind::kText: return static_cast<int64_t>(count_characters(value.bytes()));
        case Value::Kind::kList: return static_cast<int64_t>(value.list()->size());
        case Value::Kind::kDict: return static_cast<int64_t>(value.dict()->size());
        default: return std::nullopt;
    }
}

bool is_iterable(const Value& value) {
    return value.is_undefined() || value.is_text() || value.is_list() || value.is_dict() || value.is_object(Object::Kind::kGenerator);
}

ListPtr iterate(Runtime& runtime, const Value& value) {
    Values items;
    switch (value.kind()) {
        case Value::Kind::kList: return value.list();
        case Value::Kind::kUndefined: break;
        case Value::Kind::kDict:
            for (const auto& entry : value.dict()->entries()) items.push_back(entry.first);
            break;
        case Value::Kind::kText: {
            const TextPtr text = with_markup(runtime, value.text(), false);
            const int64_t length = *length_of(value);
            runtime.step(length / 4);
            runtime.check_room(length, sizeof(Text) + sizeof(Value));
            for (size_t at = 0; at < text->size();) {
                const size_t begin = at;
                take_character(text->bytes(), at);
                items.push_back(slice(runtime, text, begin, at));
            }
            break;
        }
        default: {
            if (!value.is_object(Object::Kind::kGenerator)) runtime.fail(cat("'", type_name(value), "' object is not iterable"));
            if (ListPtr all = std::exchange(value.as<Generator>().items, nullptr)) return all;
        }
    }
    return make_list(runtime, std::move(items)).list();
}

}  // namespace hearth::jinja
