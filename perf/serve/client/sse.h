// Server-sent events out of bytes that come in any pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace hearth::perf {

struct SseEvent {
    std::string_view name;  // of the field `event`, or "error" where a server wrote its data into a field of that name; else empty
    std::string_view data;  // lines of `data` with a line feed between them
};

/// One stream, by the rules of the HTML standard ("Server-sent events"): lines end with CR, LF or both; comments and other fields are
/// skipped; an event ends at an empty line, and one that the stream's end cuts off is dropped.
class SseParser {
public:
    using Handler = std::function<void(const SseEvent&)>;

    /// `most_bytes`: of one line, and of one event.
    explicit SseParser(size_t most_bytes) : most_bytes_(most_bytes) {}

    /// The next bytes; calls `handle` for each event that ends within them. Throws Error{kTooLarge} over the limit, after which the parser
    /// must not be used again. What `handle` throws goes through.
    void feed(std::string_view bytes, const Handler& handle);

private:
    void end_line(const Handler& handle);
    void append(std::string& to, std::string_view bytes) const;

    size_t most_bytes_;
    std::string line_, name_, data_;
    bool first_line_ = true, after_cr_ = false, has_data_ = false;
};

}  // namespace hearth::perf
