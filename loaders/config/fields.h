// The fields of a JSON object as bounded numbers, or an error that says what was found and what is expected.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

/// Borrows a JSON object. A field that is absent or null takes the fallback; without one it is an Error{kBadInput}. So is a value of
/// another type or out of bounds. Every message begins with `where` ("path/config.json" or "path/config.json: rope_scaling").
class ConfigFields {
public:
    ConfigFields(const nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {}

    const std::string& where() const { return where_; }
    bool has(std::string_view name) const;       // there, and not null
    bool mentions(std::string_view name) const;  // there, perhaps null
    bool is_object(std::string_view name) const;

    /// A number with a fraction of zero counts as an integer.
    int64_t integer(std::string_view name, int64_t low, int64_t high) const;
    int64_t integer(std::string_view name, int64_t low, int64_t high, int64_t fallback) const;
    double number(std::string_view name, double low, double high) const;
    double number(std::string_view name, double low, double high, double fallback) const;
    bool flag(std::string_view name, bool fallback) const;
    std::string text(std::string_view name, const std::string& fallback) const;

    /// A list, one value in place of a list, or nothing.
    std::vector<int64_t> integers(std::string_view name, int64_t low, int64_t high) const;
    /// The same for a recommendation: values that are none are left out, and `notices` gets a line that says so.
    std::vector<int64_t> usable_integers(std::string_view name, int64_t low, int64_t high, std::vector<std::string>& notices) const;
    std::vector<std::string> texts(std::string_view name) const;

    ConfigFields object(std::string_view name) const;  // is_object(name)
    std::vector<std::string> keys() const;             // of the object itself

    /// Error{kBadInput}: "where: name is <what was found>, expected <expected>".
    [[noreturn]] void refuse(std::string_view name, std::string_view expected) const;
    /// Error{kUnsupported} in the same form, with "supported: ".
    [[noreturn]] void unsupported(std::string_view name, std::string_view supported) const;

private:
    const nlohmann::json* find(std::string_view name) const;  // null: absent or null
    std::string found(std::string_view name) const;

    const nlohmann::json& object_;
    std::string where_;
};

}  // namespace hearth
