// An HTTP server without models: one path, and a handler that the test gives.
#pragma once

#include <functional>

#include "chat/http/message.h"
#include "chat/http/shutdown_signal.h"
#include "chat/http/transport/http_server.h"

namespace hearth::testing {

/// GET and POST of /x reach `handle`, every caller may. Ends without waiting for what still runs.
class BareServer {
public:
    explicit BareServer(std::function<HttpResponse(const HttpRequest&)> handle, const ConnectionLimits& limits = {});
    ~BareServer();
    int port() const { return server_.port(); }

private:
    ShutdownSignal shutdown_;
    HttpServer server_;
};

}  // namespace hearth::testing
