// The table of routes: everything that the server answers to.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "chat/http/gate.h"
#include "chat/http/message.h"
#include "chat/http/readiness.h"
#include "chat/http/shutdown_signal.h"
#include "chat/leased_models.h"

namespace hearth {

/// What handlers work with.
struct Services {
    ModelPool& pool;
    LeasedModels& models;  // of the pool
    Readiness& readiness;
    const ShutdownSignal& shutdown;
    std::function<void(const std::string&)> log;
};

/// Who may call a route.
enum class Caller {
    kAnyone,      // whoever reaches the server under one of its names
    kSameOrigin,  // no page of another site: for what changes state or takes work
};

/// One route. Where `path` ends with "/*", the handler reads the rest of the request's path itself.
struct Route {
    std::string_view method, path;
    Caller who;
    HttpResponse (*handle)(Services&, const HttpRequest&);
};

/// All of them. What is not here is 404, or 405 where only the method is wrong. GET routes answer HEAD too.
std::span<const Route> routes();

/// "POST /v1/chat/completions": as it stands in the table, or "no route".
std::string route_name(std::string_view method, std::string_view path);

/// Finds routes and asks the gate. Called from many threads.
class Router {
public:
    Router(Services services, Gate gate) : services_(std::move(services)), gate_(std::move(gate)) {}

    /// A refusal that needs only the head of the request.
    std::optional<HttpResponse> check(const HttpRequest& request) const;

    /// The answer to a request that check() let pass. ApiError and Error become their statuses.
    HttpResponse handle(const HttpRequest& request);

private:
    Services services_;
    Gate gate_;
};

HttpResponse json_response(int status, std::string body, int64_t retry_after_s = 0);
HttpResponse error_response(int status, const std::string& message, const std::string& code = {});

// The handlers, each in the file of its name.
HttpResponse get_asset(Services&, const HttpRequest&);   // assets.cpp
HttpResponse get_health(Services&, const HttpRequest&);  // monitoring.cpp, like the next two
HttpResponse get_ready(Services&, const HttpRequest&);
HttpResponse get_metrics(Services&, const HttpRequest&);
HttpResponse get_openai_models(Services&, const HttpRequest&);  // models.cpp, like the next three
HttpResponse get_openai_model(Services&, const HttpRequest&);
HttpResponse get_models(Services&, const HttpRequest&);
HttpResponse post_load(Services&, const HttpRequest&);
HttpResponse post_chat_completions(Services&, const HttpRequest&);  // completions.cpp

}  // namespace hearth
