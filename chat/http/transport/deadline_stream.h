// A connection as the HTTP library reads and writes it: one request at a time, with limits that the library has not.
#pragma once

#include <httplib.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chat/http/shutdown_signal.h"
#include "chat/http/transport/http_server.h"
#include "chat/http/transport/request_head.h"

namespace hearth {

/// One socket, for one thread. Every part of a request has a deadline of its own, so that a slow client costs a thread for a bounded time
/// whatever it sends; the library's timeouts begin anew with each byte. The library is given one head and that request's body, and then
/// the end: it can never read into what follows. Borrows the descriptor, which does not block.
class DeadlineStream : public httplib::Stream {
public:
    DeadlineStream(int fd, const ConnectionLimits& limits, const ShutdownSignal& shutdown)
        : fd_(fd), limits_(limits), shutdown_(shutdown) {}

    /// Waits for the head of the next request: all bytes up to its empty line. Valid until the next call of anything here. Nothing: none
    /// came, it is time to end, or refusal() says why.
    std::optional<std::string_view> read_head();

    /// What read() gives from now on: `head`, then `body_bytes` bytes of the connection.
    void begin_request(std::string head, int64_t body_bytes);

    /// Bytes of the body are left that nobody read: what follows is no request.
    bool has_unread_body() const { return body_left_ > 0; }

    /// Why reading ended early, if it did. From then on nothing is written, but by write_raw.
    const std::optional<HeadRefusal>& refusal() const { return refusal_; }
    void write_raw(const char* bytes, size_t size);

    /// The peer has closed its side, or the connection broke.
    bool peer_gone() const;

    /// Ends our side, and takes in for a moment what the peer still sends, so that it can read our answer before the connection is reset.
    void finish();

    // httplib::Stream
    bool is_readable() const override { return true; }
    bool is_writable() const override { return !peer_gone() && !shutdown_.cancelled(); }
    ssize_t read(char* to, size_t size) override;
    ssize_t write(const char* from, size_t size) override;
    void get_remote_ip_and_port(std::string&, int&) const override {}  // nobody here needs to know who asks
    void get_local_ip_and_port(std::string&, int&) const override {}
    socket_t socket() const override { return 0; }  // the library only compares it with the limit of select(), which poll() has not

private:
    using Clock = ShutdownSignal::Clock;
    bool fill(Clock::time_point deadline, bool while_draining);
    std::optional<std::string_view> find_head(size_t& seen);

    const int fd_;
    const ConnectionLimits& limits_;
    const ShutdownSignal& shutdown_;
    char buffer_[kMaxHeadBytes];
    size_t begin_ = 0, end_ = 0;  // of what was received and not read yet
    std::string head_;            // what the library reads first
    size_t head_read_ = 0;
    int64_t body_left_ = 0;
    Clock::time_point deadline_;
    std::optional<HeadRefusal> refusal_;
};

}  // namespace hearth
