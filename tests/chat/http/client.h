// A client of raw sockets: sends any bytes, and reads answers as HTTP/1.1 frames them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::testing {

struct Reply {
    int status = 0;                              // 0: no answer came
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
    bool whole = false;  // the body came to its end
};

/// One connection to a port of 127.0.0.1.
class Client {
public:
    explicit Client(int port);
    ~Client();
    Client(const Client&) = delete;

    void send(std::string_view bytes);
    void close();

    /// More bytes within the time, or "" at the end of the connection or of the time.
    std::string receive(int timeout_ms);

    /// The next answer. `no_body`: to a HEAD.
    Reply reply(int timeout_ms = 30'000, bool no_body = false);

    /// What came so far until `text` was in it; also when it never came.
    std::string until(std::string_view text, int timeout_ms = 30'000);

    bool ended(int timeout_ms = 5'000);  // the server ends the connection in that time

private:
    int fd_ = -1;
    std::string buffer_;
};

using Headers = std::vector<std::string>;  // "Name: value"

/// A request as a browser of the page would send it, but for `headers`. A header given replaces the usual one of its name; "Name:" with
/// nothing after it leaves it out.
std::string request_text(int port, const std::string& method, const std::string& path, const std::string& body = "",
                         const Headers& headers = {});

Reply get(int port, const std::string& path, const Headers& headers = {});
Reply post(int port, const std::string& path, const std::string& body, const Headers& headers = {});

/// The data of every event in a body of server-sent events.
std::vector<std::string> events_of(const std::string& body);

}  // namespace hearth::testing
