#include "perf/results/fields.h"

#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace hearth::perf {

std::string shown(const Json& value) {
    if (value.is_object()) return cat("an object of ", value.size());
    if (value.is_array()) return cat("an array of ", value.size());
    return printable(value.dump(), 60);
}

void Place::refuse(const char* key, const std::string& expected, const Json& found) const {
    throw Error(ErrorKind::kBadInput, cat(where, ": expected ", expected, " as \"", key, "\", found ", shown(found)));
}

const Json* Place::find(const char* key) const {
    const auto at = object.find(key);
    return at == object.end() || at->is_null() ? nullptr : &*at;
}

std::string Place::text(const char* key, const std::string& otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_string()) refuse(key, "text", *value);
    return printable(value->get_ref<const std::string&>(), 200);
}

int64_t Place::whole(const char* key, int64_t otherwise) const {
    constexpr double kMost = 9007199254740992.0;  // 2^53
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_number() || value->get<double>() < 0 || value->get<double>() > kMost ||
        std::floor(value->get<double>()) != value->get<double>())
        refuse(key, "a whole number from 0", *value);
    return value->get<int64_t>();
}

double Place::number(const char* key, double otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_number() || !std::isfinite(value->get<double>()) || value->get<double>() < 0) refuse(key, "a number from 0", *value);
    return value->get<double>();
}

Place object_at(const Json& value, std::string where) {
    if (!value.is_object()) throw Error(ErrorKind::kBadInput, cat(where, ": expected an object, found ", shown(value)));
    return {value, std::move(where)};
}

}  // namespace hearth::perf
