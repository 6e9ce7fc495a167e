// An answer while it comes in: from header lines and pieces of a body to an Outcome.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "perf/serve/client/outcome.h"
#include "perf/serve/client/sse.h"

namespace hearth::perf {

constexpr size_t kMostEventBytes = size_t{1} << 20;  // of a line or event
constexpr size_t kMostHeadBytes = size_t{64} << 10;
constexpr size_t kMostReplyBytes = size_t{16} << 20;  // of a body
constexpr size_t kMostErrorBytes = size_t{64} << 10;  // that are kept of a body that is no stream

/// How the connection ended, whatever was said on it.
enum class Transport { kComplete, kNotConnected, kClosed, kTimedOut, kMalformed, kInterrupted };

class Reply {
public:
    /// A server that sends more than twice the tokens that were asked for is not listened to any longer.
    Reply(int64_t id, int64_t most_tokens, double sent, double late);

    /// A line of the head, with or without its end. False: stop reading.
    bool header_line(std::string_view line);

    /// The next bytes of the body, which came `now` ms after the start of the run. False: stop reading.
    bool body(std::string_view bytes, double now);

    /// The connection is over.
    Outcome finish(Transport transport, const std::string& message, double now);

private:
    void event(const SseEvent& event, double now);
    bool fail(std::string message);
    Ending ending(Transport transport) const;

    Outcome out_;
    SseParser parser_{kMostEventBytes};
    int64_t most_chunks_;
    size_t head_bytes_ = 0, body_bytes_ = 0;
    std::string error_body_, content_type_, malformed_;
    double last_event_ = 0;
    bool is_stream_ = false, ended_ = false, has_error_event_ = false;
};

/// Seconds that a Retry-After header tells to wait: a number, or a date held against `now` (seconds since 1970). None: neither.
std::optional<double> retry_after_seconds(std::string_view value, int64_t now);

}  // namespace hearth::perf
