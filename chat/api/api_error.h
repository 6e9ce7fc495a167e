// How the API refuses a request: a status and an error object.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "base/error.h"

namespace hearth {

/// A request that is not served, as OpenAI's clients know it: an HTTP status and the four fields of the error object.
class ApiError : public std::runtime_error {
public:
    /// `param`: the field of the request that is at fault; `code`: a word for programs. Both may be empty (null in the answer).
    ApiError(int status, const std::string& message, std::string param = {}, std::string code = {})
        : std::runtime_error(without_nul(message)), status_(status), param_(std::move(param)), code_(std::move(code)) {}

    int status() const { return status_; }
    const std::string& param() const { return param_; }
    const std::string& code() const { return code_; }

    /// Seconds until it may be worth a try; 0: not known. With 429 and 503.
    int64_t retry_after_s() const { return retry_after_s_; }
    ApiError& retry_after(int64_t seconds) { return retry_after_s_ = seconds, *this; }

    /// {"error":{"message","type","param","code"}}
    std::string body() const;

private:
    int status_;
    std::string param_, code_;
    int64_t retry_after_s_ = 0;
};

/// The API's words for an Error of the libraries below.
ApiError to_api_error(const Error& error);

}  // namespace hearth
