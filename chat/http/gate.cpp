#include "chat/http/gate.h"

#include <algorithm>

#include "base/text.h"
#include "chat/http/transport/http_server.h"

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

bool is_json(std::string_view content_type) {
    const std::string type = lower(trim(content_type.substr(0, content_type.find(';'))));
    return type == "application/json";
}

}  // namespace

Gate::Gate(const std::string& host, int port) {
    std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
    if (host == "0.0.0.0" || host == "::") {
        for (std::string& address : own_addresses()) names.push_back(std::move(address));
    } else {
        names.push_back(lower(host));
    }
    for (const std::string& name : names) {
        const std::string whole = name.find(':') == std::string::npos ? name : cat('[', name, ']');
        hosts_.push_back(cat(whole, ':', port));
        if (port == 80) hosts_.push_back(whole);  // browsers leave out the default port
    }
}

bool Gate::allows(std::string_view host) const { return std::find(hosts_.begin(), hosts_.end(), lower(host)) != hosts_.end(); }

std::optional<std::pair<int, std::string>> Gate::check_host(const HttpRequest& request) const {
    const auto host = request.header("host");
    if (!host || request.count("host") != 1) return {{400, "a request needs exactly one Host header"}};
    if (!is_plausible(*host)) return {{400, "the Host header is not a host"}};
    if (!allows(*host)) return {{421, "this server does not answer to that host name; --host adds one"}};
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

const std::vector<std::pair<std::string, std::string>>& security_headers() {
    static const std::vector<std::pair<std::string, std::string>> headers{
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri "
         "'none'; "
         "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"X-DNS-Prefetch-Control", "off"},
    };
    return headers;
}

}  // namespace hearth
