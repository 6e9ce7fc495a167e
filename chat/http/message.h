// What goes over HTTP, as plain data: handlers know no socket.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth {

/// One request.
struct HttpRequest {
    std::string method;                                        // "GET"
    std::string path;                                          // percent-decoded, without the query; may hold any bytes
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, values without white space around them
    std::string body;
    std::function<bool()> client_gone;  // nobody waits for the answer any more; cheap, may be asked often

    /// The first header of that (lower-case) name.
    std::optional<std::string_view> header(std::string_view name) const {
        for (const auto& [key, value] : headers) {
            if (key == name) return value;
        }
        return std::nullopt;
    }

    int count(std::string_view name) const {
        int n = 0;
        for (const auto& [key, value] : headers) n += key == name;
        return n;
    }
};

/// Where a body that is not known yet goes, piece by piece.
class BodyWriter {
public:
    virtual ~BodyWriter() = default;

    /// Sends `data` now. False when the client is gone or takes nothing for too long: stop then.
    virtual bool write(std::string_view data) = 0;
    virtual bool client_gone() = 0;

    /// The answer failed after its head had gone out with another status: for the log.
    virtual void failed(int status) = 0;
};

/// One answer: a body, or a function that writes it.
struct HttpResponse {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;  // never made of what a client sent
    std::string body;
    std::function<void(BodyWriter&)> stream;  // in place of body
};

/// A request that is over.
struct HttpEnd {
    std::string method, path;  // both empty: refused before a request line was accepted
    int status = 0;            // of the answer, or what BodyWriter::failed said later
    std::chrono::milliseconds time{0};
};

constexpr int kMaxConnections = 256;
constexpr size_t kMaxHeadBytes = 32 << 10;  // request line and headers
constexpr size_t kMaxLineBytes = 8 << 10;   // the request line, and each header
constexpr int64_t kMaxBodyBytes = 8 << 20;
constexpr size_t kMaxHeaders = 64;

}  // namespace hearth
