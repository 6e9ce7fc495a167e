// The bytes of a request's body become JSON, within limits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace hearth {

constexpr int64_t kMaxJsonValues = 200'000;  // a value costs far more memory than the two bytes that it may take here

/// Throws ApiError{400} for what is no JSON (RFC 8259) in UTF-8, is nested deeper than kMaxJsonDepth
/// (loaders/io/json_file.h), has more values than kMaxJsonValues, gives one object the same key
/// twice (which it names), or is no object. Looks at depth and values before anything is built.
nlohmann::json parse_json_body(std::string_view body);

/// The other way: in one line. Bytes that are no UTF-8 become U+FFFD; nothing is thrown for what a model said.
std::string json_text(const nlohmann::json& value);

}  // namespace hearth
