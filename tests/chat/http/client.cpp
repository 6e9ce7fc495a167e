#include "tests/chat/http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include "base/text.h"

namespace hearth::testing {
namespace {

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

/// Takes a chunked body off the front of `bytes`; false while it is not whole.
bool take_chunks(std::string& bytes, std::string& body) {
    std::string out;
    size_t at = 0;
    for (;;) {
        const size_t line = bytes.find("\r\n", at);
        if (line == std::string::npos) return false;
        const size_t size = std::strtoul(bytes.c_str() + at, nullptr, 16);
        if (bytes.size() < line + 2 + size + 2) return false;
        out.append(bytes, line + 2, size);
        at = line + 2 + size + 2;
        if (size == 0) break;
    }
    bytes.erase(0, at);
    body = out;
    return true;
}

}  // namespace

Client::Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("cannot connect");
}

Client::~Client() { close(); }

void Client::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void Client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return;  // the server has heard enough; its answer tells why
        bytes.remove_prefix(static_cast<size_t>(n));
    }
}

std::string Client::receive(int timeout_ms) {
    pollfd entry{fd_, POLLIN, 0};
    if (::poll(&entry, 1, timeout_ms) <= 0) return {};
    char bytes[64 << 10];
    const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
    return n > 0 ? std::string(bytes, static_cast<size_t>(n)) : std::string();
}

std::string Client::until(std::string_view text, int timeout_ms) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (buffer_.find(text) == std::string::npos && std::chrono::steady_clock::now() < end) {
        const std::string more = receive(timeout_ms);
        if (more.empty()) break;
        buffer_ += more;
    }
    return buffer_;
}

bool Client::ended(int timeout_ms) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (std::chrono::steady_clock::now() < end) {
        pollfd entry{fd_, POLLIN, 0};
        if (::poll(&entry, 1, 100) <= 0) continue;
        char bytes[4096];
        if (::recv(fd_, bytes, sizeof bytes, 0) <= 0) return true;
    }
    return false;
}

Reply Client::reply(int timeout_ms, bool no_body) {
    Reply out;
    until("\r\n\r\n", timeout_ms);
    const size_t head_end = buffer_.find("\r\n\r\n");
    if (head_end == std::string::npos) return out;
    const auto lines = split(buffer_.substr(0, head_end), '\n');
    buffer_.erase(0, head_end + 4);
    out.status = std::atoi(lines[0].c_str() + std::string("HTTP/1.1 ").size());
    for (size_t i = 1; i < lines.size(); ++i) {
        const size_t colon = lines[i].find(':');
        out.headers[lower(lines[i].substr(0, colon))] = std::string(trim(lines[i].substr(colon + 1)));
    }
    if (no_body) return out;
    const bool chunked = out.headers.count("transfer-encoding") > 0;
    const size_t length = out.headers.count("content-length") ? std::strtoul(out.headers["content-length"].c_str(), nullptr, 10) : 0;
    for (;;) {
        out.whole = chunked ? take_chunks(buffer_, out.body) : buffer_.size() >= length;
        if (out.whole) break;
        const std::string more = receive(timeout_ms);
        if (more.empty()) break;
        buffer_ += more;
    }
    if (!chunked) {
        out.body = buffer_.substr(0, length);
        buffer_.erase(0, out.body.size());
    }
    return out;
}

std::string request_text(int port, const std::string& method, const std::string& path, const std::string& body, const Headers& headers) {
    std::vector<std::pair<std::string, std::string>> all{{"Host", cat("127.0.0.1:", port)}};
    if (method == "POST") all.insert(all.end(), {{"Content-Type", "application/json"}, {"Content-Length", cat(body.size())}});
    for (const std::string& header : headers) {
        const std::string name = header.substr(0, header.find(':'));
        std::erase_if(all, [&](const auto& each) { return lower(each.first) == lower(name); });
    }
    std::string out = cat(method, ' ', path, " HTTP/1.1\r\n");
    for (const auto& [name, value] : all) out += cat(name, ": ", value, "\r\n");
    for (const std::string& header : headers) {
        if (!header.ends_with(':')) out += header + "\r\n";
    }
    return out + "\r\n" + body;
}

Reply get(int port, const std::string& path, const Headers& headers) {
    Client client(port);
    client.send(request_text(port, "GET", path, "", headers));
    return client.reply();
}

Reply post(int port, const std::string& path, const std::string& body, const Headers& headers) {
    Client client(port);
    client.send(request_text(port, "POST", path, body, headers));
    return client.reply();
}

std::vector<std::string> events_of(const std::string& body) {
    std::vector<std::string> out;
    for (size_t at = 0; at < body.size();) {
        const size_t end = body.find("\n\n", at);
        const std::string event = body.substr(at, end - at);
        if (event.starts_with("data: ")) out.push_back(event.substr(6));
        if (end == std::string::npos) break;
        at = end + 2;
    }
    return out;
}

}  // namespace hearth::testing
