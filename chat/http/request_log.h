// The server's log: a line for each request that failed.
#pragma once

#include <functional>
#include <string>

#include "chat/http/message.h"

namespace hearth {

/// Writes "2026-11-28T13:14:05Z 500 POST /v1/chat/completions 12 ms" and nothing that anybody sent: no paths but those of our routes, no
/// names of models, no text. "unread" stands for a route where the head was refused. Thread-safe if `sink` is.
class RequestLog {
public:
    /// `sink` takes one line without its end; may be empty. `all`: requests that went well too.
    RequestLog(std::function<void(const std::string&)> sink, bool all) : sink_(std::move(sink)), all_(all) {}

    void ended(const HttpEnd& end) const;

private:
    std::function<void(const std::string&)> sink_;
    bool all_;
};

}  // namespace hearth
