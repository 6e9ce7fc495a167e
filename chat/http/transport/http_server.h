// HTTP/1.1 on a port: cpp-httplib behind a small interface, so that handlers know neither it nor sockets.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chat/http/message.h"
#include "chat/http/shutdown_signal.h"

namespace hearth {

/// What answers. Called from many threads at once.
struct HttpHandler {
    /// Method and path of every route; where a path ends with "/*", anything may follow.
    std::vector<std::pair<std::string, std::string>> routes;
    /// Looks at the head alone, before a byte of the body is read: an answer here is a refusal.
    std::function<std::optional<HttpResponse>(const HttpRequest&)> check;
    /// The answer. What it throws becomes status 500 without a word about the reason.
    std::function<HttpResponse(const HttpRequest&)> handle;
    /// The answer to a request that is refused for HTTP's own reasons.
    std::function<HttpResponse(int status, const std::string& message)> refuse;
    /// After every answer; may be empty.
    std::function<void(const HttpEnd&)> ended;
};

/// Deadlines of a connection. Tests make them short.
struct ConnectionLimits {
    std::chrono::milliseconds idle{15'000};         // between two requests
    std::chrono::milliseconds head{10'000};         // from the first byte of a head to its last
    std::chrono::milliseconds body{10'000};         // from the head to the body's last byte,
    std::chrono::milliseconds body_more{1'000};     // and that much more for each 64 KiB
    std::chrono::milliseconds write_stall{30'000};  // without the client taking a byte
};

/// Takes connections, each with a thread of its own, kMaxConnections at most; one more is told 503.
class HttpServer {
public:
    HttpServer(HttpHandler handler, ConnectionLimits limits, ShutdownSignal& shutdown);
    ~HttpServer();  // stops at once and waits

    /// Takes the port (0: any free one); connections wait. Never shares a port. Throws Error{kNoResources} naming host and port when it
    /// is taken, Error{kBadInput} when the host is no address of this machine.
    void bind(const std::string& host, int port);
    int port() const;

    /// Answers, from now on and those that wait.
    void start();

    /// Until the shutdown has begun and the last connection has ended.
    void wait();

    /// Answers what comes on `fd` on the calling thread, until that connection ends; needs neither bind() nor start(). Makes `fd`
    /// non-blocking and leaves it open: for connections that the caller has made.
    void serve(int fd);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace hearth
