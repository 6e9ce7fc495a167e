#include "chat/http/transport/deadline_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace hearth {
namespace {

using Clock = ShutdownSignal::Clock;
using std::chrono::milliseconds;

/// Waits until there is something to do, the deadline, or the next look whether the server is to stop.
void wait_slice(int fd, short events, Clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();
    pollfd entry{fd, events, 0};
    ::poll(&entry, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 100)));
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

/// Takes in what there is, behind what is there already; the caller sees to it that there is room.
bool DeadlineStream::fill(Clock::time_point deadline, bool while_draining) {
    if (begin_ == end_) begin_ = end_ = 0;
    for (;;) {
        const ssize_t n = ::recv(fd_, buffer_ + end_, sizeof buffer_ - end_, 0);
        if (n > 0) {
            end_ += static_cast<size_t>(n);
            return true;
        }
        if (n == 0 || !would_block() || shutdown_.cancelled() || (shutdown_.draining() && !while_draining)) return false;
        if (Clock::now() >= deadline) {
            refusal_ = {408, "the request did not arrive in time"};
            return false;
        }
        wait_slice(fd_, POLLIN, deadline);
    }
}

/// The head, once its empty line is there; looks at each byte once. A line that ends with a bare line feed is no line of HTTP, and servers
/// that read it as one disagree with those that do not.
std::optional<std::string_view> DeadlineStream::find_head(size_t& seen) {
    for (; begin_ + seen < end_; ++seen) {
        const char* at = buffer_ + begin_ + seen;
        if (*at != '\n') continue;
        if (seen == 0 || at[-1] != '\r') {
            refusal_ = {400, "a line of the head does not end with carriage return and line feed"};
            return std::nullopt;
        }
        if (seen < 3 || at[-2] != '\n') continue;
        const std::string_view head(buffer_ + begin_, seen + 1);
        begin_ += seen + 1;
        return head;
    }
    if (end_ - begin_ == sizeof buffer_) refusal_ = {431, cat("the head has more than ", kMaxHeadBytes, " bytes")};
    return std::nullopt;
}

std::optional<std::string_view> DeadlineStream::read_head() {
    body_left_ = 0;
    if (begin_ == end_ && !fill(Clock::now() + limits_.idle, false)) {
        refusal_.reset();  // a connection that only idles ends without a word
        return std::nullopt;
    }
    deadline_ = Clock::now() + limits_.head;
    for (size_t seen = 0;;) {
        if (const auto head = find_head(seen)) return head;
        if (refusal_) return std::nullopt;
        std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
        end_ -= std::exchange(begin_, 0);
        if (!fill(deadline_, true)) return std::nullopt;
    }
}

void DeadlineStream::begin_request(std::string head, int64_t body_bytes) {
    head_ = std::move(head);
    head_read_ = 0;
    body_left_ = body_bytes;
    deadline_ = Clock::now() + limits_.body + limits_.body_more * (body_bytes >> 16);
}

ssize_t DeadlineStream::read(char* to, size_t size) {
    if (refusal_) return -1;
    if (head_read_ < head_.size()) {
        const size_t n = head_.copy(to, size, head_read_);
        head_read_ += n;
        return static_cast<ssize_t>(n);
    }
    if (body_left_ == 0) return 0;
    if (begin_ == end_ && !fill(deadline_, true)) return -1;
    const size_t n = std::min({size, end_ - begin_, static_cast<size_t>(body_left_)});
    std::memcpy(to, buffer_ + begin_, n);
    begin_ += n;
    body_left_ -= static_cast<int64_t>(n);
    return static_cast<ssize_t>(n);
}

ssize_t DeadlineStream::write(const char* from, size_t size) {
    if (refusal_) return -1;
    const auto deadline = Clock::now() + limits_.write_stall;
    for (;;) {
        const ssize_t n = ::send(fd_, from, size, MSG_NOSIGNAL);
        if (n > 0) return n;
        if (n < 0 && !would_block()) return -1;
        if (shutdown_.cancelled() || Clock::now() >= deadline) return -1;
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
    while (Clock::now() < deadline && !shutdown_.cancelled()) {
        const ssize_t n = ::recv(fd_, buffer_, sizeof buffer_, 0);
        if (n == 0 || (n < 0 && !would_block())) return;
        if (n < 0) wait_slice(fd_, POLLIN, deadline);
    }
}

}  // namespace hearth
