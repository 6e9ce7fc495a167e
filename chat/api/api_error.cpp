#include "chat/api/api_error.h"

#include <nlohmann/json.hpp>

#include "chat/api/json_body.h"

namespace hearth {
namespace {

nlohmann::json text_or_null(const std::string& text) { return text.empty() ? nlohmann::json(nullptr) : nlohmann::json(text); }

const char* type_of(int status) {
    if (status == 429) return "rate_limit_error";
    return status < 500 ? "invalid_request_error" : "server_error";
}

}  // namespace

std::string ApiError::body() const {
    const nlohmann::json error{
        {"message", what()}, {"type", type_of(status_)}, {"param", text_or_null(param_)}, {"code", text_or_null(code_)}};
    return json_text(nlohmann::json{{"error", error}});
}

ApiError to_api_error(const Error& error) {
    switch (error.kind()) {
        case ErrorKind::kNotFound: return {404, error.what(), {}, "not_found"};
        case ErrorKind::kNoResources: return {503, error.what(), {}, "no_resources"};
        case ErrorKind::kIo: return {500, error.what(), {}, "io_error"};
        case ErrorKind::kTooLarge: return {400, error.what(), {}, "too_large"};
        case ErrorKind::kUnsupported: return {400, error.what(), {}, "unsupported"};
        case ErrorKind::kBadInput: break;
    }
    return {400, error.what()};
}

}  // namespace hearth
