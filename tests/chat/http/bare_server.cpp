#include "tests/chat/http/bare_server.h"

#include <optional>
#include <utility>

#include "chat/http/routes.h"

namespace hearth::testing {
namespace {

HttpHandler handler(std::function<HttpResponse(const HttpRequest&)> handle) {
    HttpHandler out;
    out.routes = {{"GET", "/x"}, {"POST", "/x"}};
    out.check = [](const HttpRequest&) { return std::optional<HttpResponse>(); };
    out.handle = std::move(handle);
    out.refuse = [](int status, const std::string& why) { return error_response(status, why); };
    return out;
}

}  // namespace

BareServer::BareServer(std::function<HttpResponse(const HttpRequest&)> handle, const ConnectionLimits& limits)
    : server_(handler(std::move(handle)), limits, shutdown_) {
    server_.bind("127.0.0.1", 0);
    server_.start();
}

BareServer::~BareServer() {
    shutdown_.begin(0);
    server_.wait();
}

}  // namespace hearth::testing
