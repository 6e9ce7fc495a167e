// Who may talk to the server at all, and what its answers tell browsers to leave alone.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chat/http/message.h"

namespace hearth {

/// Guards against other web pages: DNS rebinding (by the Host header) and requests across origins (by Origin, Sec-Fetch-Site and the
/// content type, which a plain form cannot set). Immutable.
class Gate {
public:
    /// Allowed are localhost, 127.0.0.1 and [::1], `host`, and where that is a wildcard the machine's addresses; all with `port`.
    Gate(const std::string& host, int port);

    /// Of every request, before its route is looked up: 400 without exactly one sensible Host, 421 for another server's.
    std::optional<std::pair<int, std::string>> check_host(const HttpRequest& request) const;

    /// Of requests that change something: 403 for other origins, 415 for anything but JSON.
    std::optional<std::pair<int, std::string>> check_same_origin(const HttpRequest& request) const;

private:
    bool allows(std::string_view host) const;
    std::vector<std::string> hosts_;  // lower case, with port
};

/// Headers of every answer.
const std::vector<std::pair<std::string, std::string>>& security_headers();

}  // namespace hearth
