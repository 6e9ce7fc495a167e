#include "loaders/config/fields.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxListed = 4096;  // values of a list that config files hold at most

std::optional<int64_t> as_integer(const Json& value, int64_t low, int64_t high) {
    if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
    int64_t n = 0;
    if (value.is_number_integer()) {
        n = value.get<int64_t>();
    } else if (value.is_number_float()) {
        const double x = value.get<double>();
        if (!(std::abs(x) < 9e15) || x != std::floor(x)) return std::nullopt;
        n = static_cast<int64_t>(x);
    } else {
        return std::nullopt;
    }
    return n >= low && n <= high ? std::optional(n) : std::nullopt;
}

}  // namespace

const Json* ConfigFields::find(std::string_view name) const {
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
}

bool ConfigFields::has(std::string_view name) const { return find(name) != nullptr; }

bool ConfigFields::mentions(std::string_view name) const { return object_.contains(name); }

bool ConfigFields::is_object(std::string_view name) const {
    const Json* value = find(name);
    return value && value->is_object();
}

std::string ConfigFields::found(std::string_view name) const {
    if (!mentions(name)) return "absent";
    return printable(object_.find(name)->dump(-1, ' ', false, Json::error_handler_t::replace), 60);
}

void ConfigFields::refuse(std::string_view name, std::string_view expected) const {
    throw Error(ErrorKind::kBadInput, cat(where_, ": ", name, " is ", found(name), ", expected ", expected));
}

void ConfigFields::unsupported(std::string_view name, std::string_view supported) const {
    throw Error(ErrorKind::kUnsupported, cat(where_, ": ", name, " ", found(name), " is not supported; supported: ", supported));
}

int64_t ConfigFields::integer(std::string_view name, int64_t low, int64_t high) const {
    const Json* value = find(name);
    const auto n = value ? as_integer(*value, low, high) : std::nullopt;
    if (!n) refuse(name, cat("an integer from ", low, " to ", high));
    return *n;
}

int64_t ConfigFields::integer(std::string_view name, int64_t low, int64_t high, int64_t fallback) const {
    return has(name) ? integer(name, low, high) : fallback;
}

double ConfigFields::number(std::string_view name, double low, double high) const {
    const Json* value = find(name);
    const double x = value && value->is_number() ? value->get<double>() : std::nan("");
    if (!(x >= low && x <= high)) refuse(name, cat("a number from ", low, " to ", high));
    return x;
}

double ConfigFields::number(std::string_view name, double low, double high, double fallback) const {
    return has(name) ? number(name, low, high) : fallback;
}

bool ConfigFields::flag(std::string_view name, bool fallback) const {
    const Json* value = find(name);
    if (!value) return fallback;
    if (!value->is_boolean()) refuse(name, "true or false");
    return value->get<bool>();
}

std::string ConfigFields::text(std::string_view name, const std::string& fallback) const {
    const Json* value = find(name);
    if (!value) return fallback;
    if (!value->is_string()) refuse(name, "a string");
    return value->get<std::string>();
}

std::vector<int64_t> ConfigFields::integers(std::string_view name, int64_t low, int64_t high) const {
    const Json* value = find(name);
    if (!value) return {};
    const std::string expected = cat("an integer from ", low, " to ", high, " or a list of such");
    std::vector<int64_t> out;
    const Json one = value->is_array() ? Json() : Json::array({*value});
    for (const Json& item : value->is_array() ? *value : one) {
        const auto n = as_integer(item, low, high);
        if (!n || out.size() == kMaxListed) refuse(name, expected);
        out.push_back(*n);
    }
    return out;
}

std::vector<int64_t> ConfigFields::usable_integers(std::string_view name, int64_t low, int64_t high,
                                                   std::vector<std::string>& notices) const {
    const Json* value = find(name);
    if (!value) return {};
    std::vector<int64_t> out;
    bool all = true;
    const Json one = value->is_array() ? Json() : Json::array({*value});
    for (const Json& item : value->is_array() ? *value : one) {
        const auto n = out.size() < kMaxListed ? as_integer(item, low, high) : std::nullopt;
        if (n) out.push_back(*n);
        all &= n.has_value();
    }
    if (!all) {
        notices.push_back(cat(where_, ": ", name, " is ", found(name), ", expected integers from ", low, " to ", high, "; ",
                              out.empty() ? "left aside" : "the others are left aside"));
    }
    return out;
}

std::vector<std::string> ConfigFields::texts(std::string_view name) const {
    const Json* value = find(name);
    if (!value) return {};
    if (!value->is_array() || value->size() > kMaxListed) refuse(name, "a list of strings");
    std::vector<std::string> out;
    for (const Json& item : *value) {
        if (!item.is_string()) refuse(name, "a list of strings");
        out.push_back(item.get<std::string>());
    }
    return out;
}

std::vector<std::string> ConfigFields::keys() const {
    std::vector<std::string> out;
    for (const auto& item : object_.items()) out.push_back(item.key());
    return out;
}

ConfigFields ConfigFields::object(std::string_view name) const { return {*find(name), cat(where_, ": ", name)}; }

}  // namespace hearth
