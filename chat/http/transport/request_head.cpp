#include "chat/http/transport/request_head.h"

#include <algorithm>

#include "base/text.h"
#include "chat/http/message.h"

namespace hearth {
namespace {

using Header = std::pair<std::string_view, std::string_view>;

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// A token of RFC 9110: what methods and names of headers are made of.
bool is_token(std::string_view text) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [&](char c) { return is_alphanumeric(c) || kMarks.find(c) != std::string_view::npos; });
}

bool is_visible_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

/// No control characters but tabs; bytes from 128 on may stand in a value.
bool is_value(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f'); });
}

bool same_name(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// Takes the next line off the front of `text`, without its end.
std::string_view take_line(std::string_view& text) {
    const size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    return line;
}

HeadRefusal parse_request_line(std::string_view line, RequestHead& out) {
    if (line.size() + 2 > kMaxLineBytes) return {414, cat("the request line has more than ", kMaxLineBytes, " bytes")};
    const size_t first = line.find(' '), last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return {400, "the request line is not a method, a target and a version"};
    out.method = line.substr(0, first);
    out.target = line.substr(first + 1, last - first - 1);
    out.version = line.substr(last + 1);
    if (!is_token(out.method)) return {400, "the request's method is no word"};
    if (out.target.empty() || !is_visible_ascii(out.target))
        return {400, "the request's target has spaces or other bytes that must be encoded"};
    if (out.version == "HTTP/1.1" || out.version == "HTTP/1.0") return {};
    if (out.version.starts_with("HTTP/")) return {505, "this server speaks HTTP/1.1 and HTTP/1.0"};
    return {400, "the request line does not end with a version of HTTP"};
}

HeadRefusal parse_header(std::string_view line, RequestHead& out) {
    if (line.size() + 2 > kMaxLineBytes) return {431, cat("a header has more than ", kMaxLineBytes, " bytes")};
    if (out.headers.size() == kMaxHeaders) return {431, cat("more than ", kMaxHeaders, " headers")};
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return {400, "a header has no colon"};
    if (!is_token(line.substr(0, colon)))
        return {400, "the name of a header has spaces or other bytes that no name has, or a line is folded"};
    const std::string_view value = line.substr(colon + 1);
    if (!is_value(value)) return {400, "the value of a header has control characters"};
    out.headers.emplace_back(line.substr(0, colon), trim(value));
    return {};
}

/// Bodies come in one way only: plain, and with their length.
HeadRefusal find_body(RequestHead& out) {
    const Header* length = nullptr;
    for (const Header& header : out.headers) {
        if (same_name(header.first, "Transfer-Encoding"))
            return {411, "a body is taken with Content-Length only, not with Transfer-Encoding"};
        if (same_name(header.first, "Content-Encoding")) return {415, "a body is taken as it is, not with Content-Encoding"};
        if (!same_name(header.first, "Content-Length")) continue;
        if (length) return {400, "more than one Content-Length"};
        length = &header;
    }
    if (!length) {
        const bool expected = out.method == "POST" || out.method == "PUT" || out.method == "PATCH";
        return expected ? HeadRefusal{411, "a body needs its Content-Length"} : HeadRefusal{};
    }
    if (length->second.empty()) return {400, "Content-Length is not a number"};
    for (const char c : length->second) {
        if (c < '0' || c > '9') return {400, "Content-Length is not a number"};
        if (out.body_bytes <= kMaxBodyBytes) out.body_bytes = out.body_bytes * 10 + (c - '0');
    }
    if (out.body_bytes > kMaxBodyBytes) return {413, cat("the body has more than the ", kMaxBodyBytes, " bytes that are taken")};
    return {};
}

bool asks_to_close(const RequestHead& head) {
    if (head.version == "HTTP/1.0") return true;
    return std::any_of(head.headers.begin(), head.headers.end(), [](const Header& header) {
        if (!same_name(header.first, "Connection")) return false;
        const auto words = split(header.second, ',');
        return std::any_of(words.begin(), words.end(), [](std::string_view word) { return same_name(trim(word), "close"); });
    });
}

bool is_for_library(std::string_view name) {
    constexpr std::string_view kLeftOut[] = {"Range", "If-Range", "Accept-Encoding", "Connection", "Keep-Alive"};
    return std::none_of(std::begin(kLeftOut), std::end(kLeftOut), [&](std::string_view each) { return same_name(name, each); });
}

}  // namespace

std::variant<RequestHead, HeadRefusal> parse_head(std::string_view text) {
    RequestHead out;
    HeadRefusal refusal = parse_request_line(take_line(text), out);
    while (refusal.status == 0) {
        const std::string_view line = take_line(text);
        if (line.empty()) break;
        refusal = parse_header(line, out);
    }
    if (refusal.status == 0) refusal = find_body(out);
    if (refusal.status != 0) return refusal;
    out.close = asks_to_close(out);
    return out;
}

std::string text_for_library(const RequestHead& head) {
    std::string out = cat(head.method, ' ', head.target, ' ', head.version, "\r\n");
    for (const auto& [name, value] : head.headers) {
        if (!is_for_library(name)) continue;
        out += cat(name, ": ");
        for (const char c : value) out += c == '%' ? std::string("%25") : std::string(1, c);
        out += "\r\n";
    }
    return out + (head.close ? "Connection: close\r\n\r\n" : "\r\n");
}

}  // namespace hearth
