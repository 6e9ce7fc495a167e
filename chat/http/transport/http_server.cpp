// The only user of cpp-httplib, with the files beside it.
//
// The library reads heads and bodies, finds routes and writes answers. What it lacks is added around it: heads are checked before it sees
// them (request_head.h), it is shown one request at a time and never a byte of the next, with whole-request deadlines (DeadlineStream);
// connections are bounded, and end where anything was refused before its body was read; a port is never shared; and the end lets streams
// finish (the library's own stop cuts them).
#include "chat/http/transport/http_server.h"

#include <fcntl.h>
#include <httplib.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/start_thread.h"
#include "base/text.h"
#include "chat/http/transport/connection_threads.h"
#include "chat/http/transport/deadline_stream.h"
#include "chat/http/transport/translate.h"

namespace hearth {
namespace {

/// An answer that the library does not write. The connection ends with it.
std::string raw_answer(const HttpResponse& response) {
    std::string out = cat("HTTP/1.1 ", response.status, " Refused\r\n");
    for (const auto& [name, value] : response.headers) out += cat(name, ": ", value, "\r\n");
    return out + cat("Content-Length: ", response.body.size(), "\r\nConnection: close\r\n\r\n", response.body);
}

}  // namespace

class HttpServer::Impl : public httplib::Server {
public:
    Impl(HttpHandler handler, ConnectionLimits limits, ShutdownSignal& shutdown)
        : handler_(std::move(handler)), limits_(limits), shutdown_(shutdown), connections_(shutdown) {
        new_task_queue = [this] { return new ThreadEach(connections_); };
        set_payload_max_length(kMaxBodyBytes);
        set_socket_options([](socket_t socket) {
            // Lets a restarted server have its port back at once. The library's default would let two servers share one in silence.
            const int yes = 1;
            ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        });
        set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
            auto refused = refuse_head(request);
            if (!refused) return HandlerResponse::Unhandled;
            give(*std::move(refused), request, response);
            return HandlerResponse::Handled;
        });
        set_error_handler([this](const httplib::Request& request, httplib::Response& response) {
            if (!response.body.empty()) return;  // ours
            this_exchange().refused_by_library = true;
            give(handler_.refuse(response.status, "this request cannot be read"), request, response);
        });
        set_exception_handler([this](const httplib::Request& request, httplib::Response& response, std::exception_ptr) {
            give(handler_.refuse(500, "something went wrong in the server"), request, response);
        });
        set_post_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
            this_exchange().end = {.method = request.method, .path = request.path, .status = response.status};
            // The library writes a promise of five requests that nobody keeps.
            response.headers.erase("Keep-Alive");
            response.headers.erase("Connection");
            if (ends_connection(request)) {
                response.set_header("Connection", "close");
            } else {
                const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limits_.idle).count();
                response.set_header("Keep-Alive", cat("timeout=", seconds));
            }
        });
        add_routes();
    }

    void take_port(const std::string& host, int port) {
        errno = 0;
        const int got = port == 0 ? bind_to_any_port(host) : bind_to_port(host, port) ? port : -1;
        if (got <= 0) {
            const int why = errno;
            if (why == EADDRINUSE)
                throw Error(ErrorKind::kNoResources,
                            cat("port ", port, " of ", host, " is taken by another program; choose another with --port"));
            if (why == EACCES)
                throw Error(ErrorKind::kNoResources,
                            cat("port ", port, " of ", host, " is not allowed to this user; choose another with --port"));
            throw Error(ErrorKind::kBadInput, cat("cannot listen on port ", port, " of ", printable(host),
                                                  why ? cat(": ", std::strerror(why)) : ": no address of this machine"));
        }
        port_ = got;
        ::listen(svr_sock_, 128);  // the library's queue of five turns bursts of connections into waits of a second
    }

    void begin() {
        accepting_ = start_thread("taking connections", [this] {
            accept_thread_ = std::this_thread::get_id();
            listen_after_bind();
            ended_ = true;
        });
    }

    void wait_for_end() {
        connections_.wait_for_shutdown();
        const std::lock_guard joining(join_mutex_);
        if (!accepting_.joinable()) return;
        while (!is_running() && !ended_) std::this_thread::yield();  // stop() does nothing to a server that has not begun to listen
        httplib::Server::stop();
        accepting_.join();
    }

    void end_now() {
        shutdown_.begin(0);
        if (accepting_.joinable()) {
            wait_for_end();
        } else if (svr_sock_ != INVALID_SOCKET) {
            ::close(svr_sock_);
        }
    }

    int port() const { return port_; }

    void serve_here(int fd) {
        make_non_blocking(fd);
        DeadlineStream stream(fd, limits_, shutdown_);
        serve(stream);
    }

private:
    static void make_non_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL, 0) | O_NONBLOCK); }

    /// A thread for each connection; where there can be none, the connection is turned away on the accepting thread.
    class ThreadEach : public httplib::TaskQueue {
    public:
        explicit ThreadEach(ConnectionThreads& threads) : threads_(threads) {}
        void enqueue(std::function<void()> serve) override {
            if (!threads_.run(serve)) serve();
        }
        void shutdown() override { threads_.wait_until_none(); }

    private:
        ConnectionThreads& threads_;
    };

    void add_routes() {
        const Handler handle = [this](const httplib::Request& request, httplib::Response& response) {
            HttpRequest ours = to_request(request);
            ours.body = request.body;
            give(handler_.handle(ours), request, response);
        };
        for (const auto& [method, path] : handler_.routes) {
            if (method == "GET") Get(pattern_of(path), handle);
            if (method == "POST") Post(pattern_of(path), handle);
        }
    }

    std::optional<HttpResponse> refuse_head(const httplib::Request& request) const {
        // The library's router matches by regular expressions, which want short texts.
        if (request.path.size() > 2048) return handler_.refuse(404, "there is nothing at this path");
        return handler_.check(to_request(request));
    }

    /// As serve() will find it: refused by the library, asked for, at the server's end, or with a body that nobody read.
    bool ends_connection(const httplib::Request& request) const {
        const std::string length = request.get_header_value("Content-Length");
        const bool has_body = length.find_first_not_of('0') != std::string::npos;
        return this_exchange().refused_by_library || request.get_header_value("Connection") == "close" || shutdown_.draining() ||
               (has_body && request.body.empty());
    }

    bool process_and_close_socket(socket_t fd) override {
        make_non_blocking(fd);
        const int yes = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        DeadlineStream stream(fd, limits_, shutdown_);
        if (std::this_thread::get_id() == accept_thread_) {
            const std::string answer =
                raw_answer(handler_.refuse(503, shutdown_.draining() ? "the server is stopping" : "too many connections"));
            stream.write_raw(answer.data(), answer.size());
            ::shutdown(fd, SHUT_WR);
            report({.method = {}, .path = {}, .status = 503});
        } else {
            serve(stream);
            stream.finish();
        }
        ::close(fd);
        return true;
    }

    /// The requests of one connection, one after the other.
    void serve(DeadlineStream& stream) {
        while (const auto text = stream.read_head()) {
            auto parsed = parse_head(*text);
            if (const auto* refusal = std::get_if<HeadRefusal>(&parsed)) return refuse(stream, *refusal);
            if (!serve_one(stream, std::get<RequestHead>(parsed))) break;
        }
        if (stream.refusal()) refuse(stream, *stream.refusal());
    }

    void refuse(DeadlineStream& stream, const HeadRefusal& refusal) {
        const std::string answer = raw_answer(handler_.refuse(refusal.status, refusal.reason));
        stream.write_raw(answer.data(), answer.size());
        report({.method = {}, .path = {}, .status = refusal.status});
    }

    void report(const HttpEnd& end) const {
        if (handler_.ended) handler_.ended(end);
    }

    /// True: another request may follow. Whatever the library refuses by itself ends the connection.
    bool serve_one(DeadlineStream& stream, RequestHead& head) {
        head.close |= shutdown_.draining();
        stream.begin_request(text_for_library(head), head.body_bytes);
        bool close = false;
        this_exchange() = {};
        const auto begin = ShutdownSignal::Clock::now();
        const auto head_read = [&](httplib::Request& request) {
            // The library hands handlers no connection. This member, unused by its server, asks whether to go on.
            request.progress = [&stream](uint64_t, uint64_t) { return !stream.peer_gone(); };
        };
        const bool answered = process_request(stream, head.close, close, head_read);
        if (Exchange& exchange = this_exchange(); exchange.end.status != 0 && !stream.refusal()) {
            exchange.end.time = std::chrono::duration_cast<std::chrono::milliseconds>(ShutdownSignal::Clock::now() - begin);
            report(exchange.end);
        }
        return answered && !this_exchange().refused_by_library && !close && !head.close && !stream.has_unread_body() && !stream.refusal() &&
               !shutdown_.draining();
    }

    const HttpHandler handler_;
    const ConnectionLimits limits_;
    ShutdownSignal& shutdown_;
    int port_ = 0;
    std::thread accepting_;
    std::atomic<bool> ended_{false};
    std::atomic<std::thread::id> accept_thread_{};
    std::mutex join_mutex_;
    ConnectionThreads connections_;
};

HttpServer::HttpServer(HttpHandler handler, ConnectionLimits limits, ShutdownSignal& shutdown)
    : impl_(std::make_unique<Impl>(std::move(handler), limits, shutdown)) {}

HttpServer::~HttpServer() { impl_->end_now(); }

void HttpServer::bind(const std::string& host, int port) { impl_->take_port(host, port); }
int HttpServer::port() const { return impl_->port(); }
void HttpServer::start() { impl_->begin(); }
void HttpServer::wait() { impl_->wait_for_end(); }
void HttpServer::serve(int fd) { impl_->serve_here(fd); }

}  // namespace hearth
