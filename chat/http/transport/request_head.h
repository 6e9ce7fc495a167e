// The head of a request, checked byte by byte before the library sees any of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hearth {

/// A request line and its headers. Borrows the text.
struct RequestHead {
    std::string_view method, target, version;                            // version is HTTP/1.0 or HTTP/1.1
    std::vector<std::pair<std::string_view, std::string_view>> headers;  // values without white space around them
    int64_t body_bytes = 0;                                              // exactly what follows the head
    bool close = false;                                                  // the connection ends after the answer
};

/// Why a request is refused from its head alone. Where it ends is not known then: the connection ends too.
struct HeadRefusal {
    int status = 0;
    std::string reason;
};

/// Reads a head, its empty line included, by the grammar of RFC 9112 and nothing beside it: no folded lines, no space before a colon, no
/// control characters, no second Content-Length, no Transfer-Encoding.
std::variant<RequestHead, HeadRefusal> parse_head(std::string_view text);

/// The head as the library is to read it: without the headers that make it work for nothing (ranges, compression), with our own word on
/// whether the connection ends, and with values that its percent-decoding leaves as they came.
std::string text_for_library(const RequestHead& head);

}  // namespace hearth
