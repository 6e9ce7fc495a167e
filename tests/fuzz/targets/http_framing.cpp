#include "tests/fuzz/targets/http_framing.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <string>

#include "base/text.h"
#include "tests/fuzz/target.h"

namespace hearth::fuzz {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

/// Calls `visit(name in lower case, value)` for each header of a head, whose first line is left out.
template <class Visit>
void each_header(std::string_view head, Visit visit) {
    for (size_t at = head.find("\r\n"); at != head.npos;) {
        const size_t end = head.find("\r\n", at + 2);
        const std::string_view line = head.substr(at + 2, end == head.npos ? head.npos : end - at - 2);
        const size_t colon = line.find(':');
        if (colon != line.npos) visit(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
        at = end;
    }
}

std::optional<size_t> number(std::string_view text) {
    size_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

/// Bytes of the body behind a request's head; nothing where one cannot be sure.
std::optional<size_t> body_of(std::string_view head) {
    size_t length = 0;
    int lengths = 0;
    bool sure = true;
    each_header(head, [&](const std::string& name, std::string_view value) {
        if (trim(name) == "transfer-encoding") sure = false;
        if (trim(name) != "content-length") return;
        const auto bytes = number(value);
        sure = sure && name == "content-length" && ++lengths == 1 && bytes.has_value();
        length = bytes.value_or(0);
    });
    return sure ? std::optional(length) : std::nullopt;
}

void require_head(std::string_view head) {
    require(head.starts_with("HTTP/1.1 ") && head.size() > 12, "an answer begins with its version");
    require(std::isdigit(head[9]) && std::isdigit(head[10]) && std::isdigit(head[11]) && head[12] == ' ', "a status has three digits");
    require(head[9] >= '1' && head[9] <= '5', "a status is one of the five kinds");
    require(head[9] != '5' || head.substr(9, 3) == "503" || head.substr(9, 3) == "505", "no status 5xx");
    for (size_t at = 0; at < head.size(); at = std::min(head.find("\r\n", at), head.size() - 2) + 2) {
        const std::string_view line = head.substr(at, head.find("\r\n", at) - at);
        require(at == 0 || (line.find(": ") != line.npos && line.front() != ':'), "a header is a name and a value");
        require(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c != '\x7F'; }), "a head is printable");
    }
}

}  // namespace

size_t requests_in(std::string_view bytes) {
    size_t count = 0;
    while (!bytes.empty()) {
        ++count;
        const size_t end = bytes.find("\r\n\r\n");
        if (end == bytes.npos) break;
        const auto body = body_of(bytes.substr(0, end));
        if (!body || *body >= bytes.size() - end - 4) break;
        bytes.remove_prefix(end + 4 + *body);
    }
    return count;
}

size_t require_answers(std::string_view bytes) {
    size_t count = 0;
    bool last = false;
    while (!bytes.empty()) {
        require(!last, "what says Connection: close is the last answer");
        const size_t end = bytes.find("\r\n\r\n");
        require(end != bytes.npos, "a head is whole");
        const std::string_view head = bytes.substr(0, end);
        require_head(cat(head, "\r\n"));
        bytes.remove_prefix(end + 4);
        if (head[9] == '1') continue;  // "go on": the answer follows
        ++count;
        std::optional<size_t> length;
        each_header(head, [&](const std::string& name, std::string_view value) {
            if (name == "content-length") length = number(value);
            if (name == "connection") last = value == "close";
        });
        require(length.has_value(), "a head says how long its body is");
        const bool none = bytes.empty() || bytes.starts_with("HTTP/1.1 ");  // the answer to a HEAD
        if (none) continue;
        require(*length <= bytes.size(), "a body is as long as its head says");
        bytes.remove_prefix(*length);
    }
    return count;
}

}  // namespace hearth::fuzz
