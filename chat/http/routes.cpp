#include "chat/http/routes.h"

#include "base/error.h"
#include "base/text.h"
#include "chat/api/api_error.h"

namespace hearth {
namespace {

constexpr int64_t kRetryAfter_s = 5;  // where nobody knows better

constexpr Route kRoutes[] = {
    {"GET", "/", Caller::kAnyone, get_asset},
    {"GET", "/assets/*", Caller::kAnyone, get_asset},
    {"GET", "/health", Caller::kAnyone, get_health},
    {"GET", "/ready", Caller::kAnyone, get_ready},
    {"GET", "/metrics", Caller::kAnyone, get_metrics},
    {"GET", "/v1/models", Caller::kAnyone, get_openai_models},
    {"GET", "/v1/models/*", Caller::kAnyone, get_openai_model},
    {"POST", "/v1/chat/completions", Caller::kSameOrigin, post_chat_completions},
    {"GET", "/api/models", Caller::kAnyone, get_models},
    {"POST", "/api/models/load", Caller::kSameOrigin, post_load},
};

bool path_matches(std::string_view pattern, std::string_view path) {
    if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    if (!pattern.ends_with("/*")) return path == pattern;
    pattern.remove_suffix(1);
    return path.size() > pattern.size() && path.starts_with(pattern);
}

bool method_matches(std::string_view route, std::string_view method) { return route == method || (route == "GET" && method == "HEAD"); }

const Route* find_route(std::string_view method, std::string_view path) {
    for (const Route& route : kRoutes) {
        if (path_matches(route.path, path) && method_matches(route.method, method)) return &route;
    }
    return nullptr;
}

HttpResponse no_route(const HttpRequest& request) {
    std::string allowed;
    for (const Route& route : kRoutes) {
        if (!path_matches(route.path, request.path)) continue;
        if (!allowed.empty()) allowed += ", ";
        allowed += route.method;
    }
    if (allowed.empty()) return error_response(404, "there is nothing at this path", "not_found");
    HttpResponse out = error_response(405, "this path takes only " + allowed, "method_not_allowed");
    out.headers.emplace_back("Allow", allowed);
    return out;
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

std::string route_name(std::string_view method, std::string_view path) {
    const Route* route = find_route(method, path);
    return route ? cat(route->method, ' ', route->path) : "no route";
}

std::optional<HttpResponse> Router::check(const HttpRequest& request) const {
    if (const auto refused = gate_.check_host(request)) return error_response(refused->first, refused->second, "bad_host");
    const Route* route = find_route(request.method, request.path);
    if (!route) return no_route(request);
    if (route->who == Caller::kSameOrigin) {
        if (const auto refused = gate_.check_same_origin(request)) return error_response(refused->first, refused->second, "not_allowed");
    }
    return std::nullopt;
}

HttpResponse Router::handle(const HttpRequest& request) {
    try {
        return find_route(request.method, request.path)->handle(services_, request);
    } catch (const ApiError& e) {
        return json_response(e.status(), e.body(), e.retry_after_s());
    } catch (const Error& e) {
        const ApiError as_api = to_api_error(e);
        return json_response(as_api.status(), as_api.body());
    }
}

HttpResponse json_response(int status, std::string body, int64_t retry_after_s) {
    HttpResponse out;
    out.status = status;
    out.headers = security_headers();
    out.headers.emplace_back("Content-Type", "application/json");
    out.headers.emplace_back("Cache-Control", "no-store");
    if (status == 503 || status == 429) out.headers.emplace_back("Retry-After", cat(retry_after_s > 0 ? retry_after_s : kRetryAfter_s));
    out.body = std::move(body);
    return out;
}

HttpResponse error_response(int status, const std::string& message, const std::string& code) {
    return json_response(status, ApiError(status, message, {}, code).body());
}

}  // namespace hearth
