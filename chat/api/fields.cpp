#include "chat/api/fields.h"

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "chat/api/api_error.h"

namespace hearth {

using nlohmann::json;

std::string describe(const json& value) {
    if (value.is_number() || value.is_boolean()) return value.dump();
    if (value.is_string()) return cat("the string \"", printable(value.get_ref<const std::string&>(), 40), '"');
    return cat("an ", value.type_name());
}

const json* Fields::find(const char* name) const {
    const auto at = object_.find(name);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
}

std::optional<bool> Fields::boolean(const char* name) const {
    const json* value = find(name);
    if (!value) return std::nullopt;
    if (!value->is_boolean())
        throw ApiError(400, cat(where_, name, " must be true or false, not ", describe(*value)), where_ + name, "invalid_type");
    return value->get<bool>();
}

std::optional<double> Fields::number(const char* name, double low, double high) const {
    const json* value = find(name);
    if (!value) return std::nullopt;
    if (!value->is_number())
        throw ApiError(400, cat(where_, name, " must be a number from ", low, " to ", high, ", not ", describe(*value)), where_ + name,
                       "invalid_type");
    const auto x = value->get<double>();
    if (!(x >= low && x <= high))
        throw ApiError(400, cat(where_, name, " must be from ", low, " to ", high, ", not ", describe(*value)), where_ + name,
                       "out_of_range");
    return x;
}

std::optional<int64_t> Fields::integer(const char* name, int64_t low, int64_t high) const {
    const json* value = find(name);
    if (!value) return std::nullopt;
    if (!value->is_number_integer())
        throw ApiError(400, cat(where_, name, " must be an integer from ", low, " to ", high, ", not ", describe(*value)), where_ + name,
                       "invalid_type");
    // Numbers past the 63rd bit are unsigned in the parser's eyes, and would turn negative here.
    const bool fits = !value->is_number_unsigned() || value->get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()};
    const int64_t x = fits ? value->get<int64_t>() : 0;
    if (!fits || x < low || x > high)
        throw ApiError(400, cat(where_, name, " must be from ", low, " to ", high, ", not ", describe(*value)), where_ + name,
                       "out_of_range");
    return x;
}

std::optional<std::string> Fields::text(const char* name, size_t max_bytes) const {
    const json* value = find(name);
    if (!value) return std::nullopt;
    if (!value->is_string())
        throw ApiError(400, cat(where_, name, " must be a string, not ", describe(*value)), where_ + name, "invalid_type");
    auto out = value->get<std::string>();
    if (out.size() > max_bytes)
        throw ApiError(400, cat(where_, name, " has ", out.size(), " bytes, at most ", max_bytes, " are taken"), where_ + name,
                       "out_of_range");
    return out;
}

}  // namespace hearth
