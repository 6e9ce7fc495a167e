// Members of JSON objects that others wrote, with errors that say where.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace hearth::perf {

using Json = nlohmann::json;

/// An object, which outlives this, and its place in a file: "a.json: results[3]".
struct Place {
    const Json& object;
    std::string where;

    const Json* find(const char* key) const;  // null where it is not there or null
    std::string text(const char* key, const std::string& otherwise) const;
    int64_t whole(const char* key, int64_t otherwise) const;  // 0 to 2^53
    double number(const char* key, double otherwise) const;   // finite, not negative
    [[noreturn]] void refuse(const char* key, const std::string& expected, const Json& found) const;
};

/// `value` as an object, or Error.
Place object_at(const Json& value, std::string where);
Place object_at(Json&& value, std::string where) = delete;

/// The start of a value, for messages.
std::string shown(const Json& value);

}  // namespace hearth::perf
