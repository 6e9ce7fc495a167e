// Raw bytes on a connection. Oracle: the server answers each request in HTTP/1.1's frames, without a status 5xx, closes the connection when
// the client has said its last, and after a refusal reads no further request from what the client meant as a body.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>

#include "base/text.h"
#include "chat/http/transport/http_server.h"
#include "tests/fuzz/targets/all.h"

namespace hearth::fuzz {
namespace {

/// A server whose handler answers everything with the length of the body.
class Echo {
public:
    Echo() : server_(handler(), {}, stop_) {
        server_.bind("127.0.0.1", 0);
        server_.start();
    }
    int port() const { return server_.port(); }

private:
    static HttpHandler handler() {
        HttpHandler out;
        out.routes = {{"GET", "/"}, {"POST", "/v1/chat/completions"}, {"GET", "/v1/models/*"}};
        out.check = [](const HttpRequest&) { return std::optional<HttpResponse>(); };
        out.handle = [](const HttpRequest& request) {
            return HttpResponse{.status = 200, .headers = {}, .body = std::to_string(request.body.size()), .stream = {}};
        };
        out.refuse = [](int status, const std::string& message) {
            return HttpResponse{.status = status, .headers = {}, .body = message, .stream = {}};
        };
        return out;
    }

    StopSignal stop_;
    HttpServer server_;
};

std::string exchange(int port, std::string_view bytes) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0, "the server takes connections");
    std::string answer;
    bool open = true, sending = true;
    while (open) {
        pollfd waiting{fd, static_cast<short>(POLLIN | (sending ? POLLOUT : 0)), 0};
        require(::poll(&waiting, 1, 20'000) > 0, "a connection ends once the client has said its last");
        if (sending && (waiting.revents & POLLOUT)) {
            const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
            if (n < 0 || bytes.empty()) {
                sending = false;
                ::shutdown(fd, SHUT_WR);
            }
        }
        if (waiting.revents & (POLLIN | POLLHUP | POLLERR)) {
            char buffer[16384];
            const ssize_t n = ::recv(fd, buffer, sizeof(buffer), 0);
            if (n > 0) answer.append(buffer, static_cast<size_t>(n));
            open = n > 0;
        }
    }
    ::close(fd);
    return answer;
}

void check(std::string_view answer) {
    bool refused = false;
    while (!answer.empty()) {
        require(!refused, "a refusal is the last answer of its connection");
        require(answer.starts_with("HTTP/1.1 ") && answer.size() > 12, "an answer begins with its status");
        const size_t head = answer.find("\r\n\r\n");
        require(head != std::string_view::npos, "a head is whole");
        const char status = answer[9];
        require(status >= '1' && status <= '5', "a status has three digits");
        require(status != '5' || answer.substr(9, 3) == "503" || answer.substr(9, 3) == "505", "no status 5xx");
        refused = status == '4' || status == '5';
        std::string lower(answer.substr(0, head));
        for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        size_t length = 0;
        if (const size_t at = lower.find("\r\ncontent-length: "); at != std::string::npos)
            std::from_chars(lower.data() + at + 18, lower.data() + lower.size(), length);
        answer.remove_prefix(head + 4);
        const bool none = answer.empty() || answer.starts_with("HTTP/1.1 ");  // the answer to a HEAD
        if (none) continue;
        require(length <= answer.size(), "a body is as long as its head says");
        answer.remove_prefix(length);
    }
}

}  // namespace

void run_http(std::string_view input) {
    static Echo* server = new Echo();  // its threads outlive the process' static objects
    if (input.size() > 64 << 10) return;
    check(exchange(server->port(), input));
}

std::vector<std::string> seeds_http() {
    const std::string inner = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";
    const std::string length = cat("Content-Length: ", inner.size(), "\r\n\r\n", inner);
    return {"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
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
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
}

}  // namespace hearth::fuzz
