// Raw bytes on a connection, through the gate and the routes of the real server; only that no model answers. Oracle (http_framing.h): every
// answer parses as HTTP/1.1, none has a status 5xx but 503 (and 505, for another version of HTTP), there are never more answers than
// requests were meant, which is what smuggling would make of a body, and the connection ends once there is nothing more to read.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "chat/api/api_error.h"
#include "chat/api/chat_request.h"
#include "chat/api/json_body.h"
#include "chat/http/routes.h"
#include "chat/http/transport/http_server.h"
#include "tests/fuzz/targets/all.h"
#include "tests/fuzz/targets/http_framing.h"

namespace hearth::fuzz {
namespace {

ModelPool::Options one_model() {
    ::setenv("HEARTH_MODELS", "/nonexistent", 1);  // Ember is all there is
    ModelPool::Options out;
    BackendOptions backend;
    backend.device = "reference";
    out.backend = make_backend(backend);
    out.catalogue.load.context = 16;
    return out;
}

constexpr size_t kRoom = 48 << 10;  // less than a pair of sockets holds

/// The server without the command line and without a port. Lives until the process ends.
class ServerUnderTest {
public:
    ServerUnderTest()
        : pool_(one_model()),
          models_(pool_, {}),
          readiness_(pool_),
          router_(Services{pool_, models_, readiness_, stop_, [](const std::string&) {}}, Gate({"a"})) {
        constexpr std::chrono::milliseconds kNone{0};  // no patience: all bytes that will ever come are there
        const ConnectionLimits limits{.idle = kNone, .head = kNone, .body = kNone, .body_more = kNone, .write_stall = kNone};
        server_ = std::make_unique<HttpServer>(handler(), limits, stop_);
    }
    HttpServer& http() { return *server_; }

private:
    HttpHandler handler() {
        HttpHandler out;
        for (const Route& route : routes()) out.routes.emplace_back(route.method, route.path);
        out.check = [this](const HttpRequest& request) { return router_.check(request); };
        out.handle = [this](const HttpRequest& request) {
            return request.path.starts_with("/v1/chat") ? parsed_chat(request) : router_.handle(request);
        };
        out.refuse = [](int status, const std::string& message) { return error_response(status, message); };
        return out;
    }

    /// Chat up to where the model would begin.
    static HttpResponse parsed_chat(const HttpRequest& request) {
        try {
            const ChatRequest chat = parse_chat_request(parse_json_body(request.body));
            return json_response(200, nlohmann::json{{"messages", chat.messages.size()}}.dump());
        } catch (const ApiError& e) {
            return json_response(e.status(), e.body());
        }
    }

    ShutdownSignal stop_;
    ModelPool pool_;
    LeasedModels models_;
    Readiness readiness_;
    Router router_;
    std::unique_ptr<HttpServer> server_;
};

/// What the server answers to `bytes`, which lie ready on a connection whose other end stays open.
std::string exchange(HttpServer& server, std::string_view bytes) {
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "a pair of sockets");
    const auto sent = ::send(ends[0], bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(bytes.size())) server.serve(ends[1]);
    std::string answer;
    char buffer[16384];
    for (ssize_t n; (n = ::recv(ends[0], buffer, sizeof buffer, MSG_DONTWAIT)) > 0;) answer.append(buffer, static_cast<size_t>(n));
    ::close(ends[0]);
    ::close(ends[1]);
    return answer;
}

}  // namespace

void run_http(std::string_view input) {
    static auto* server = new ServerUnderTest();  // its threads outlive the process' static objects
    if (input.size() > 64 << 10) return;
    const std::string answers = exchange(server->http(), input);
    // What the socket has no room for is not written, since no client reads meanwhile.
    if (answers.size() > kRoom) return;
    require(require_answers(answers) <= requests_in(input), "there are no more answers than requests");
}

std::vector<std::string> seeds_http() {
    const std::string inner = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";
    const std::string length = cat("Content-Length: ", inner.size(), "\r\n\r\n", inner);
    return {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/models/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        inner,
        cat("POST /", std::string(9000, 'a'), " HTTP/1.1\r\nHost: a\r\n", length),
        cat("POST /a b HTTP/1.1\r\nHost: a\r\n", length),
        cat("POST / HTTP/2.0\r\nHost: a\r\n", length),
        cat("POST / HTTP/1.1\r\nHost: a\r\nX: ", std::string(9000, 'b'), "\r\n", length),
        cat("POST /none HTTP/1.1\r\nHost: a\r\n", length),
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        "HEAD / HTTP/1.0\r\n\r\n",
        "GET /%0d%0aX:y HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\n",
        "GET /assets/app.js HTTP/1.1\r\nHost: localhost:1\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /api/models/load HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"model\":\"ember\"}",
        cat("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nContent-Type: application/json\r\nContent-Length: "
            "47\r\n\r\n",
            R"({"messages":[{"role":"user","content":"Hello"}]})"),
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: cross-site\r\nTransfer-Encoding: "
        "chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "GET /v1/models/ember HTTP/1.1\r\nHost: [::1]:80\r\nExpect: 100-continue\r\n\r\n",
        "GET /api/models?x=%00 HTTP/1.1\r\nhost: 127.0.0.1\r\nRange: bytes=0-1,5-\r\nAccept-Encoding: gzip, br\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
}

}  // namespace hearth::fuzz
