// Reading members of JSON that others wrote: an absent or null member is nothing, one of another type is an Error naming it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace hearth::fields {

using Json = nlohmann::json;

/// The member `key` of `object`, or nullptr when it is absent or null. `object` must be an object, else Error naming `where`.
const Json* find(const Json& object, const char* key, const std::string& where);

std::optional<bool> boolean(const Json& object, const char* key, const std::string& where);
std::optional<std::string> string(const Json& object, const char* key, const std::string& where);
std::optional<int64_t> integer(const Json& object, const char* key, const std::string& where);
const Json* array(const Json& object, const char* key, const std::string& where);
const Json* object(const Json& object, const char* key, const std::string& where);

/// What must be there.
template <class T>
T required(std::optional<T> value, const char* key, const std::string& where);
const Json& required(const Json* value, const char* key, const std::string& where);

/// Throws Error{kBadInput}: "WHERE: KEY is missing".
[[noreturn]] void missing(const char* key, const std::string& where);

template <class T>
T required(std::optional<T> value, const char* key, const std::string& where) {
    if (!value) missing(key, where);
    return *std::move(value);
}

}  // namespace hearth::fields
