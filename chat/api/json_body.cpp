#include "chat/api/json_body.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/utf8.h"
#include "chat/api/api_error.h"
#include "loaders/io/json_file.h"

namespace hearth {
namespace {

/// Counts nesting and values without building anything. Mistakes in the text are left to the parser.
void check_limits(std::string_view body) {
    int depth = 0;
    int64_t values = 1;
    bool in_string = false;
    for (size_t i = 0; i < body.size(); ++i) {
        const char c = body[i];
        if (in_string) {
            if (c == '\\') ++i;
            in_string = c != '"';
            continue;
        }
        if (c == '"') in_string = true;
        if (c == '[' || c == '{') ++depth;
        if (c == ']' || c == '}') --depth;
        if (c == ',' || c == '[' || c == '{') ++values;
        if (depth > kMaxJsonDepth)
            throw ApiError(400, cat("the JSON is nested deeper than ", kMaxJsonDepth, " levels"), {}, "json_too_deep");
        if (values > kMaxJsonValues) throw ApiError(400, cat("the JSON has more than ", kMaxJsonValues, " values"), {}, "json_too_large");
    }
}

}  // namespace

nlohmann::json parse_json_body(std::string_view body) {
    using Json = nlohmann::json;
    check_limits(body);
    if (!is_utf8(body)) throw ApiError(400, "the body is not UTF-8", {}, "invalid_json");
    try {
        JsonGuard guard("the body");
        const Json::parser_callback_t watch = [&](int, Json::parse_event_t event, Json& parsed) {
            if (event == Json::parse_event_t::object_start) guard.open_object();
            if (event == Json::parse_event_t::object_end) guard.close_object();
            if (event == Json::parse_event_t::key) guard.key(parsed.get_ref<const std::string&>());
            return true;
        };
        auto json = Json::parse(body, watch);
        if (!json.is_object()) throw ApiError(400, cat("the body must be a JSON object, not ", json.type_name()), {}, "invalid_json");
        return json;
    } catch (const Error& e) {  // of the guard
        throw ApiError(400, e.what(), {}, "invalid_json");
    } catch (const nlohmann::json::parse_error& e) {
        throw ApiError(400, cat("the body is not JSON: error at byte ", e.byte), {}, "invalid_json");
    } catch (const nlohmann::json::exception&) {
        throw ApiError(400, "the body is not JSON: a number is out of range", {}, "invalid_json");
    }
}

std::string json_text(const nlohmann::json& value) { return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

}  // namespace hearth
