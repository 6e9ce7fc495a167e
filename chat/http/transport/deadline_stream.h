// A connection as the HTTP library reads and writes it, with limits that the library has not.
#pragma once

#include <httplib.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "chat/http/stop_signal.h"
#include "chat/http/transport/http_server.h"

namespace hearth {

/// One socket, for one thread. Every part of a request has a deadline of its own, so that a slow client costs a thread for a bounded time
/// whatever it sends; the library's timeouts begin anew with each byte. Borrows the descriptor, which does not block.
class DeadlineStream : public httplib::Stream {
public:
    DeadlineStream(int fd, const ConnectionLimits& limits, const StopSignal& stop) : fd_(fd), limits_(limits), stop_(stop) {}

    /// Waits for the first byte of a request. False: none came, or it is time to end.
    bool wait_for_request();

    /// The head has been read, `length` bytes of body follow (-1: not known).
    void begin_body(int64_t length);

    /// Bytes of a body are left that nobody read, or nobody knows where it ends: what follows is no request.
    bool has_unread_body() const { return body_length_ < 0 || body_read_ < body_length_; }

    /// The status that tells why reading ended early (408, 431), or 0. From then on nothing is written, but by write_raw.
    int refusal() const { return refusal_; }
    void write_raw(const char* bytes, size_t size);

    /// The peer has closed its side, or the connection broke.
    bool peer_gone() const;

    /// Ends our side, and takes in for a moment what the peer still sends, so that it can read our answer before the connection is reset.
    void finish();

    // httplib::Stream
    bool is_readable() const override { return true; }
    bool is_writable() const override { return !peer_gone() && !stop_.cancelled(); }
    ssize_t read(char* to, size_t size) override;
    ssize_t write(const char* from, size_t size) override;
    void get_remote_ip_and_port(std::string&, int&) const override {}  // nobody here needs to know who asks
    void get_local_ip_and_port(std::string&, int&) const override {}
    socket_t socket() const override { return 0; }  // the library only compares it with the limit of select(), which poll() has not

private:
    using Clock = StopSignal::Clock;
    enum class Part { kHead, kBody };
    bool fill(Clock::time_point deadline, bool while_draining);

    const int fd_;
    const ConnectionLimits& limits_;
    const StopSignal& stop_;
    char buffer_[16 << 10];
    size_t begin_ = 0, end_ = 0;  // of what was received and not read yet
    Part part_ = Part::kHead;
    size_t head_read_ = 0;
    int64_t body_length_ = 0, body_read_ = 0;
    Clock::time_point deadline_;
    int refusal_ = 0;
};

}  // namespace hearth
