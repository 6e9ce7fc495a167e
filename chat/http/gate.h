// Who may talk to the server at all, and what its answers tell browsers to leave alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/http/message.h"

namespace hearth {

/// Guards against other web pages: DNS rebinding (by the Host header) and requests across origins (by Origin, Sec-Fetch-Site and the
/// content type, which a plain form cannot set). Immutable.
///
/// Allowed as Host are localhost, every literal address, and `names`, each with any port or none: behind a forwarded port (of ssh, of a
/// container) the client's port is not ours. That is safe because rebinding needs a name that the attacker's page was loaded from.
class Gate {
public:
    /// `names`: host names without port, in any case. Throws Error{kBadInput} for one that is no name.
    explicit Gate(std::vector<std::string> names);

    /// Of every request, before its route is looked up: 400 without exactly one sensible Host, 421 for another server's.
    std::optional<std::pair<int, std::string>> check_host(const HttpRequest& request) const;

    /// Of requests that change something: 403 for other origins, 415 for anything but JSON.
    std::optional<std::pair<int, std::string>> check_same_origin(const HttpRequest& request) const;

private:
    bool allows(std::string_view host) const;
    std::vector<std::string> names_;  // lower case
};

/// Letters, digits, '-', '.' and '_': what can be the name of a machine, or an IPv4 address.
bool is_host_name(std::string_view name);

/// Whether only this machine reaches a server that listens there: localhost, 127.0.0.0/8 or ::1. Other names are not, wherever they lead.
bool is_loopback(const std::string& host);

/// Headers of every answer.
const std::vector<std::pair<std::string, std::string>>& security_headers();

}  // namespace hearth
