#include "tests/perf/serve/scripted_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"

namespace hearth::testing {

namespace {

/// Whether something can be read before the server ends.
bool wait_readable(int socket, const std::atomic<bool>& over) {
    while (!over) {
        pollfd one{.fd = socket, .events = POLLIN, .revents = 0};
        if (::poll(&one, 1, 20) > 0) return true;
    }
    return false;
}

/// Up to the end of the body that Content-Length tells of; what there is where the client closes before.
Request read_request(int socket, const std::atomic<bool>& over) {
    std::string all;
    std::array<char, 65536> piece{};
    for (;;) {
        const size_t end = all.find("\r\n\r\n");
        if (end != std::string::npos) {
            const std::string head = all.substr(0, end + 4);
            const size_t length = head.find("Content-Length: ");
            const size_t wanted = length == std::string::npos ? 0 : std::strtoul(head.c_str() + length + 16, nullptr, 10);
            if (all.size() >= head.size() + wanted) return {.head = head, .body = all.substr(head.size()), .number = 0};
        }
        if (!wait_readable(socket, over)) return {};
        const ssize_t got = ::recv(socket, piece.data(), piece.size(), 0);
        if (got <= 0) return {.head = all, .body = {}, .number = 0};
        all.append(piece.data(), static_cast<size_t>(got));
    }
}

}  // namespace

bool Line::send(const std::string& bytes) {
    size_t sent = 0;
    while (sent < bytes.size()) {
        const ssize_t got = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (got <= 0) return false;
        sent += static_cast<size_t>(got);
    }
    return true;
}

void Line::wait_for_client_to_leave() {
    std::array<char, 256> piece{};
    while (wait_readable(socket_, over_) && ::recv(socket_, piece.data(), piece.size(), 0) > 0) {}
}

ScriptedServer::ScriptedServer(Answer answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    HEARTH_CHECK(::bind(listener_, generic, size) == 0 && ::listen(listener_, 256) == 0 && ::getsockname(listener_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
    over_ = true;
    acceptor_.join();
    for (std::thread& each : connections_) each.join();
    ::close(listener_);
}

void ScriptedServer::accept_all() {
    for (int number = 0; wait_readable(listener_, over_); ++number) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket >= 0) connections_.emplace_back([this, socket, number] { serve(socket, number); });
    }
}

void ScriptedServer::serve(int socket, int number) {
    Request request = read_request(socket, over_);
    request.number = number;
    {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
    }
    Line line(socket, over_);
    if (!over_) answer_(request, line);
    ::close(socket);
}

std::string ScriptedServer::url() const { return cat("http://127.0.0.1:", port_); }

std::vector<Request> ScriptedServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

std::string text_event(const std::string& text) {
    return cat(R"(data: {"choices":[{"index":0,"delta":{"content":")", text, R"("},"finish_reason":null}]})", "\n\n");
}

std::string end_events(int prompt, int completion, int cached) {
    return cat("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n",
               R"(data: {"choices":[],"usage":{"prompt_tokens":)", prompt, R"(,"completion_tokens":)", completion,
               R"(,"prompt_tokens_details":{"cached_tokens":)", cached, "}}}\n\ndata: [DONE]\n\n");
}

}  // namespace hearth::testing
