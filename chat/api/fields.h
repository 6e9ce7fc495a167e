// Reads the fields of a request one by one: absent and null are the same, everything else has its type and its range.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace hearth {

/// A request's object. Borrows the JSON. Every reader throws ApiError{400} naming field, expectation and what was found.
class Fields {
public:
    /// `where`: what stands before a field's name in messages, as "messages[0].".
    explicit Fields(const nlohmann::json& object, std::string where = {}) : object_(object), where_(std::move(where)) {}

    /// The field, or null when it is absent or null.
    const nlohmann::json* find(const char* name) const;

    std::optional<bool> boolean(const char* name) const;
    std::optional<double> number(const char* name, double low, double high) const;      // low <= x <= high
    std::optional<int64_t> integer(const char* name, int64_t low, int64_t high) const;  // written without fraction
    std::optional<std::string> text(const char* name, size_t max_bytes) const;

private:
    const nlohmann::json& object_;
    std::string where_;
};

/// "a string", "the number 3": for messages.
std::string describe(const nlohmann::json& value);

}  // namespace hearth
