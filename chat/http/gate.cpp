#include "chat/http/gate.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

/// Something that could be a host with or without a port, whoever's it is.
bool is_plausible(std::string_view host) {
    if (host.empty() || host.front() == ':' || host.size() > 255) return false;
    return std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-._:[]").find(c) != std::string_view::npos;
    });
}

/// The host of "host", "host:port", "[address]" or "[address]:port"; nothing where the port is no port.
std::optional<std::string_view> split_host(std::string_view host) {
    size_t end = host.starts_with('[') ? host.find(']') : host.find(':');
    if (end == std::string_view::npos && host.starts_with('[')) return std::nullopt;
    if (host.starts_with('[')) ++end;
    end = std::min(end, host.size());
    std::string_view port = host.substr(end);
    if (port.empty()) return host;
    port.remove_prefix(1);
    const bool is_port = host[end] == ':' && !port.empty() && port.size() <= 5 &&
                         std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_port) return std::nullopt;
    return host.substr(0, end);
}

/// An IPv4 address in any spelling that programs look up without asking anybody: "127.0.0.1", "127.1".
std::optional<in_addr> ipv4_of(std::string_view host) {
    in_addr out;
    // inet_aton ignores what follows a space.
    const bool plain = !host.empty() && host.find_first_of(" \t\n\v\f\r") == std::string_view::npos;
    return plain && ::inet_aton(std::string(host).c_str(), &out) == 1 ? std::optional(out) : std::nullopt;
}

/// "127.0.0.1", with four decimal numbers as browsers write it, or "[::1]".
bool is_address(std::string_view host) {
    in6_addr out;
    if (!host.starts_with('[')) return ::inet_pton(AF_INET, std::string(host).c_str(), &out) == 1;
    return host.ends_with(']') && ::inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &out) == 1;
}

bool is_json(std::string_view content_type) {
    const std::string type = lower(trim(content_type.substr(0, content_type.find(';'))));
    return type == "application/json";
}

}  // namespace

Gate::Gate(std::vector<std::string> names) : names_(std::move(names)) {
    for (std::string& name : names_) {
        if (!is_host_name(name))
            throw Error(ErrorKind::kBadInput, cat("--allowed-host: expected a host name without port, found \"", printable(name), '"'));
        name = lower(name);
    }
    names_.insert(names_.end(), {"localhost", "localhost."});
}

bool Gate::allows(std::string_view host) const {
    const auto parts = split_host(host);
    if (!parts) return false;
    return is_address(*parts) || std::find(names_.begin(), names_.end(), lower(*parts)) != names_.end();
}

std::optional<std::pair<int, std::string>> Gate::check_host(const HttpRequest& request) const {
    const auto host = request.header("host");
    if (!host || request.count("host") != 1) return {{400, "a request needs exactly one Host header"}};
    if (!is_plausible(*host)) return {{400, "the Host header is not a host"}};
    if (!allows(*host)) {
        const auto name = split_host(*host);
        return {{421, cat("this server does not answer to that host name; start it with --allowed-host ", name ? *name : "NAME",
                          " if it should")}};
    }
    return std::nullopt;
}

std::optional<std::pair<int, std::string>> Gate::check_same_origin(const HttpRequest& request) const {
    const auto site = request.header("sec-fetch-site");
    if (request.count("sec-fetch-site") > 1 || (site && *site != "same-origin" && *site != "none")) {
        return {{403, "requests from other sites are not taken"}};
    }
    if (const auto origin = request.header("origin")) {
        constexpr std::string_view kScheme = "http://";
        const bool same = request.count("origin") == 1 && origin->starts_with(kScheme) &&
                          lower(origin->substr(kScheme.size())) == lower(*request.header("host"));
        if (!same) return {{403, "requests from other origins are not taken"}};
    }
    const auto type = request.header("content-type");
    if (request.count("content-type") != 1 || !is_json(*type)) return {{415, "the content type must be application/json"}};
    return std::nullopt;
}

bool is_host_name(std::string_view name) {
    if (name.empty() || name.size() > 253 || name.front() == '.' || name.front() == '-') return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    });
}

bool is_loopback(const std::string& host) {
    if (const auto address = ipv4_of(host)) return ntohl(address->s_addr) >> 24 == 127;
    return lower(host) == "localhost" || lower(host) == "localhost." || host == "::1";
}

const std::vector<std::pair<std::string, std::string>>& security_headers() {
    static const std::vector<std::pair<std::string, std::string>> headers{
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"X-DNS-Prefetch-Control", "off"},
    };
    return headers;
}

}  // namespace hearth
