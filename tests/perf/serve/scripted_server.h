// A server on a free port of 127.0.0.1 that does what a test says, also what no server should.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace hearth::testing {

/// The other end of one connection.
class Line {
public:
    Line(int socket, const std::atomic<bool>& over) : socket_(socket), over_(over) {}

    /// False where the client is gone.
    bool send(const std::string& bytes);
    /// Until the client closes or the server ends.
    void wait_for_client_to_leave();
    /// The answer's head of a stream of events.
    void begin_stream() { send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"); }

private:
    int socket_;
    const std::atomic<bool>& over_;
};

struct Request {
    std::string head, body;
    int number = 0;  // from 0, in the order of connections
};

/// A thread for each connection, which reads one request, calls `answer` and closes. All end with the server.
class ScriptedServer {
public:
    using Answer = std::function<void(const Request&, Line&)>;

    explicit ScriptedServer(Answer answer);
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    std::string url() const;
    std::vector<Request> requests() const;  // in the order in which they were read

private:
    void accept_all();
    void serve(int socket, int number);

    Answer answer_;
    int listener_ = -1, port_ = 0;
    std::atomic<bool> over_{false};
    mutable std::mutex mutex_;
    std::vector<Request> requests_;
    std::vector<std::thread> connections_;
    std::thread acceptor_;
};

/// "data: {...}\n\n" with this text as choice 0's delta.
std::string text_event(const std::string& text);

/// The end of a stream: a finish_reason, usage in a chunk of its own, [DONE].
std::string end_events(int prompt, int completion, int cached);

}  // namespace hearth::testing
