#include "loaders/tokenizer/json_fields.h"

#include "base/error.h"
#include "base/text.h"

namespace hearth::fields {

namespace {

[[noreturn]] void wrong_type(const char* key, const char* expected, const Json& found, const std::string& where) {
    throw Error(ErrorKind::kBadInput, cat(where, ": ", key, " should be ", expected, ", found ", found.type_name()));
}

}  // namespace

void missing(const char* key, const std::string& where) { throw Error(ErrorKind::kBadInput, cat(where, ": ", key, " is missing")); }

const Json* find(const Json& object, const char* key, const std::string& where) {
    if (!object.is_object()) throw Error(ErrorKind::kBadInput, cat(where, ": expected an object, found ", object.type_name()));
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<bool> boolean(const Json& object, const char* key, const std::string& where) {
    const Json* value = find(object, key, where);
    if (!value) return std::nullopt;
    if (!value->is_boolean()) wrong_type(key, "true or false", *value, where);
    return value->get<bool>();
}

std::optional<std::string> string(const Json& object, const char* key, const std::string& where) {
    const Json* value = find(object, key, where);
    if (!value) return std::nullopt;
    if (!value->is_string()) wrong_type(key, "a string", *value, where);
    return value->get<std::string>();
}

std::optional<int64_t> integer(const Json& object, const char* key, const std::string& where) {
    const Json* value = find(object, key, where);
    if (!value) return std::nullopt;
    if (!value->is_number_integer()) wrong_type(key, "an integer", *value, where);
    if (value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
        wrong_type(key, "an integer below 2^63", *value, where);
    return value->get<int64_t>();
}

const Json* array(const Json& object, const char* key, const std::string& where) {
    const Json* value = find(object, key, where);
    if (value && !value->is_array()) wrong_type(key, "an array", *value, where);
    return value;
}

const Json* object(const Json& parent, const char* key, const std::string& where) {
    const Json* value = find(parent, key, where);
    if (value && !value->is_object()) wrong_type(key, "an object", *value, where);
    return value;
}

const Json& required(const Json* value, const char* key, const std::string& where) {
    if (!value) missing(key, where);
    return *value;
}

}  // namespace hearth::fields
