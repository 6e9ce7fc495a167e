#include "chat/http/transport/deadline_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hearth {
namespace {

using Clock = StopSignal::Clock;
using std::chrono::milliseconds;

/// Waits until there is something to do, the deadline, or the next look whether the server is to stop.
void wait_slice(int fd, short events, Clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();
    pollfd entry{fd, events, 0};
    ::poll(&entry, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 100)));
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

bool DeadlineStream::fill(Clock::time_point deadline, bool while_draining) {
    for (;;) {
        const ssize_t n = ::recv(fd_, buffer_, sizeof buffer_, 0);
        if (n > 0) {
            begin_ = 0;
            end_ = static_cast<size_t>(n);
            return true;
        }
        if (n == 0 || !would_block() || stop_.cancelled() || (stop_.draining() && !while_draining)) return false;
        if (Clock::now() >= deadline) {
            refusal_ = 408;
            return false;
        }
        wait_slice(fd_, POLLIN, deadline);
    }
}

bool DeadlineStream::wait_for_request() {
    part_ = Part::kHead;
    head_read_ = 0;
    body_length_ = body_read_ = 0;
    if (begin_ == end_ && !fill(Clock::now() + limits_.idle, false)) {
        refusal_ = 0;  // a connection that only idles ends without a word
        return false;
    }
    deadline_ = Clock::now() + limits_.head;
    return true;
}

void DeadlineStream::begin_body(int64_t length) {
    part_ = Part::kBody;
    body_length_ = length;
    deadline_ = Clock::now() + limits_.body + milliseconds(1000 * (std::max<int64_t>(length, 0) >> 16));
}

ssize_t DeadlineStream::read(char* to, size_t size) {
    if (refusal_ != 0) return -1;
    if (part_ == Part::kHead && head_read_ >= kMaxHeadBytes) {
        refusal_ = 431;
        return -1;
    }
    if (begin_ == end_ && !fill(deadline_, true)) return -1;
    const size_t n = std::min(size, end_ - begin_);
    std::memcpy(to, buffer_ + begin_, n);
    begin_ += n;
    if (part_ == Part::kHead) {
        head_read_ += n;
    } else {
        body_read_ += static_cast<int64_t>(n);
    }
    return static_cast<ssize_t>(n);
}

ssize_t DeadlineStream::write(const char* from, size_t size) {
    if (refusal_ != 0) return -1;
    const auto deadline = Clock::now() + limits_.write_stall;
    for (;;) {
        const ssize_t n = ::send(fd_, from, size, MSG_NOSIGNAL);
        if (n > 0) return n;
        if (n < 0 && !would_block()) return -1;
        if (stop_.cancelled() || Clock::now() >= deadline) return -1;
        wait_slice(fd_, POLLOUT, deadline);
    }
}

void DeadlineStream::write_raw(const char* bytes, size_t size) { static_cast<void>(::send(fd_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT)); }

bool DeadlineStream::peer_gone() const {
    // A client that ends its sending side is taken for gone: from here the two look alike, and an answer nobody reads is the worse mistake.
    pollfd entry{fd_, POLLRDHUP, 0};
    return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

void DeadlineStream::finish() {
    ::shutdown(fd_, SHUT_WR);
    const auto deadline = Clock::now() + milliseconds(500);
    while (Clock::now() < deadline && !stop_.cancelled()) {
        const ssize_t n = ::recv(fd_, buffer_, sizeof buffer_, 0);
        if (n == 0 || (n < 0 && !would_block())) return;
        if (n < 0) wait_slice(fd_, POLLIN, deadline);
    }
}

}  // namespace hearth
