// Heads that are refused. What follows such a head on its connection is never a request: a page of another site could have written it.
#include <atomic>
#include <string>
#include <vector>

#include "base/text.h"
#include "chat/http/routes.h"
#include "tests/chat/http/bare_server.h"
#include "tests/chat/http/running_server.h"

namespace hearth {
namespace {

using testing::Client;
using testing::request_text;

/// Counts the requests that reach a handler; refuses nothing by itself.
class CountingServer {
public:
    int port() const { return server_.port(); }
    int runs() const { return runs_; }
    std::string last_header(const std::string& name) const {
        for (const auto& [key, value] : headers_) {
            if (key == name) return value;
        }
        return "(none)";
    }

private:
    std::atomic<int> runs_{0};
    std::vector<std::pair<std::string, std::string>> headers_;
    testing::BareServer server_{[this](const HttpRequest& request) {
        headers_ = request.headers;
        ++runs_;
        return json_response(200, "ran");
    }};
};

int answers_in(const std::string& bytes) {
    constexpr std::string_view kStatusLine = "HTTP/1.1 ";
    int n = 0;
    for (size_t at = bytes.find(kStatusLine); at != std::string::npos; at = bytes.find(kStatusLine, at + 1)) {
        const size_t status = at + kStatusLine.size();
        n += status < bytes.size() && bytes[status] >= '0' && bytes[status] <= '9';
    }
    return n;
}

struct Refused {
    const char* name;
    int status;
    std::string line;                       // the request line
    std::vector<std::string> headers = {};  // beside Host and Content-Length
};

/// A head of each kind that is refused by us or by the library, with a whole request as its body.
std::vector<Refused> refused_heads() {
    const std::string line = "POST /x HTTP/1.1", nul(1, '\0');
    return {
        {"request line over the limit", 414, "POST /" + std::string(9'000, 'a') + " HTTP/1.1"},
        {"request line just over the limit", 414, "POST /" + std::string(8'185, 'a') + " HTTP/1.1"},
        {"space in the path", 400, "POST /a b HTTP/1.1"},
        {"two spaces", 400, "POST  /x HTTP/1.1"},
        {"no target", 400, "POST HTTP/1.1"},
        {"no version", 400, "POST /x"},
        {"nothing in the request line", 400, ""},
        {"HTTP/2.0", 505, "POST /x HTTP/2.0"},
        {"HTTP/0.9", 505, "POST /x HTTP/0.9"},
        {"another protocol", 400, "POST /x RTSP/1.0"},
        {"lower-case version", 400, "POST /x http/1.1"},
        {"the library does not know the method", 400, "BREW /x HTTP/1.1"},
        {"method in lower case", 400, "post /x HTTP/1.1"},
        {"method that is no word", 400, "P(ST /x HTTP/1.1"},
        {"two question marks, which the library refuses", 400, "POST /x?a?b HTTP/1.1"},
        {"control character in the target", 400, "POST /x\x01 HTTP/1.1"},
        {"byte above 127 in the target", 400, "POST /\xc3\xa9 HTTP/1.1"},
        {"NUL in the target", 400, "POST /x" + nul + " HTTP/1.1"},
        {"preface of HTTP/2", 505, "PRI * HTTP/2.0"},
        {"header over the limit", 431, line, {"X: " + std::string(9'000, 'x')}},
        {"header that our escapes push over the library's limit", 400, line, {"X: " + std::string(8'000, '%')}},
        {"head over the limit",
         431,
         line,
         {"A: " + std::string(8'000, 'x'), "B: " + std::string(8'000, 'x'), "C: " + std::string(8'000, 'x'),
          "D: " + std::string(8'000, 'x'), "E: " + std::string(8'000, 'x')}},
        {"too many headers", 431, line, std::vector<std::string>(70, "X: y")},
        {"header without colon", 400, line, {"Foo"}},
        {"header without name", 400, line, {": x"}},
        {"space before the colon", 400, line, {"Foo : x"}},
        {"space before the colon of a length", 400, line, {"Content-Length : 3"}},
        {"tab before the colon", 400, line, {"Foo\t: x"}},
        {"folded line", 400, line, {"Foo: x", " y"}},
        {"line folded with a tab", 400, line, {"Foo: x", "\ty"}},
        {"space in front of the first header", 400, line, {" Foo: x"}},
        {"NUL in a value", 400, line, {"Foo: x" + nul + "y"}},
        {"NUL in a name", 400, line, {"F" + nul + "oo: x"}},
        {"carriage return in a value", 400, line, {"Foo: x\ry"}},
        {"line feed alone", 400, line, {"Foo: x\nBar: y"}},
        {"escape in a value", 400, line, {"Foo: \x1b[31m"}},
        {"two lengths", 400, line, {"Content-Length: 3"}},
        {"length and chunks", 411, line, {"Transfer-Encoding: chunked"}},
        {"length and chunks in other letters", 411, line, {"tRANSFER-eNCODING: xchunked"}},
        {"parts without a boundary, which the library refuses", 400, line, {"Content-Type: multipart/form-data"}},
        {"compressed body", 415, line, {"Content-Encoding: br"}},
    };
}

void expect_closed_after_one_answer(const CountingServer& server, const std::string& bytes, int status, const char* name) {
    Client client(server.port());
    client.send(bytes);
    const std::string all = client.until("no answer has this", 3'000);
    EXPECT_EQ(answers_in(all), 1) << name << ": " << all.substr(0, 2'000);
    EXPECT_TRUE(all.starts_with(cat("HTTP/1.1 ", status, ' '))) << name << ": " << all.substr(0, 60);
    EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos) << name;
    EXPECT_EQ(all.find("Keep-Alive"), std::string::npos) << name;
    EXPECT_TRUE(client.ended(1'000)) << name;
    EXPECT_EQ(server.runs(), 0) << name << ": the request in the body ran";
}

TEST(RefusedHeads, EndTheConnectionAndTheirBodyIsNeverARequest) {
    const CountingServer server;
    const std::string hidden = request_text(server.port(), "POST", "/x", "{}");
    for (const Refused& each : refused_heads()) {
        std::string head = each.line + cat("\r\nHost: 127.0.0.1:", server.port(), "\r\n");
        const bool first = each.name == std::string("space in front of the first header");
        if (first) head = each.line + "\r\n";
        for (const std::string& header : each.headers) head += header + "\r\n";
        expect_closed_after_one_answer(server, head + cat("Content-Length: ", hidden.size(), "\r\n\r\n") + hidden, each.status, each.name);
    }
}

TEST(RefusedHeads, LengthsThatAreNoLengthsEndTheConnection) {
    const CountingServer server;
    const std::string hidden = request_text(server.port(), "POST", "/x", "{}");
    const auto with = [&](const std::string& length) {
        return cat("POST /x HTTP/1.1\r\nHost: 127.0.0.1:", server.port(), "\r\nContent-Length:", length, "\r\n\r\n") + hidden;
    };
    for (const char* length : {"", " ", " -1", " +5", " 0x10", " 1 0", " 1e2", " 5,5", " %35", " ten", " 5\t5"})
        expect_closed_after_one_answer(server, with(length), 400, length);
    for (const char* length : {" 8388609", " 18446744073709551615", " 18446744073709551617", " 99999999999999999999999999999999999999999"})
        expect_closed_after_one_answer(server, with(length), 413, length);
    expect_closed_after_one_answer(server, cat("POST /x HTTP/1.1\r\nHost: 127.0.0.1:", server.port(), "\r\n\r\n") + hidden, 411,
                                   "no length");
}

TEST(RefusedHeads, AFormThatTheLibraryFindsTooLongEndsTheConnection) {
    const CountingServer server;
    const std::string form(9'000, 'a');
    expect_closed_after_one_answer(server,
                                   request_text(server.port(), "POST", "/x", form, {"Content-Type: application/x-www-form-urlencoded"}) +
                                       request_text(server.port(), "POST", "/x", "{}"),
                                   413, "a form over 8 KiB, then another request");
}

TEST(RefusedHeads, ARangeThatTheLibraryCannotReadIsNothingToIt) {
    CountingServer server;
    Client client(server.port());
    client.send(request_text(server.port(), "POST", "/x", "{}", {"Range: lines=x-y"}) + request_text(server.port(), "POST", "/x", "{}"));
    EXPECT_EQ(client.reply().status, 200);
    EXPECT_EQ(client.reply().status, 200);
    EXPECT_EQ(server.runs(), 2);
}

TEST(RefusedHeads, ValuesReachHandlersAsTheyCame) {
    CountingServer server;
    EXPECT_EQ(testing::post(server.port(), "/x", "{}", {"X-Seen:  a%41%0d%0aB: c+d \xc3\xa9 "}).status, 200);
    EXPECT_EQ(server.last_header("x-seen"), "a%41%0d%0aB: c+d \xc3\xa9");
}

TEST(KeepAlive, SaysWhatIsTrue) {
    CountingServer server;
    Client client(server.port());
    for (int i = 0; i < 12; ++i) {
        client.send(request_text(server.port(), "POST", "/x", "{}"));
        const auto reply = client.reply();
        ASSERT_EQ(reply.status, 200) << i;
        EXPECT_EQ(reply.headers.at("keep-alive"), "timeout=15") << "12 requests are served: a number of them would be wrong";
        EXPECT_FALSE(reply.headers.contains("connection"));
    }
    client.send(request_text(server.port(), "POST", "/x", "{}", {"Connection: Close"}));
    const auto last = client.reply();
    EXPECT_EQ(last.headers.at("connection"), "close");
    EXPECT_FALSE(last.headers.contains("keep-alive"));
    EXPECT_TRUE(client.ended());
}

TEST(KeepAlive, IsNotPromisedWhereABodyStaysUnread) {
    CountingServer server;
    Client client(server.port());
    client.send(request_text(server.port(), "GET", "/x", "abc", {"Content-Length: 3"}));
    const auto reply = client.reply();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.headers.at("connection"), "close");
    EXPECT_TRUE(client.ended());
}

class SmuggledRequest : public testing::ServerTest {};

TEST_F(SmuggledRequest, NeverUnloadsAModel) {
    ASSERT_TRUE(wait_for_state("ember", "ready"));
    const std::string hidden = request_text(port(), "POST", "/api/models/load", R"({"model":"twin"})");
    for (const std::string& line :
         {"POST /" + std::string(9'000, 'a') + " HTTP/1.1", std::string("POST /a b HTTP/1.1"), std::string("POST / HTTP/2.0"),
          std::string("POST /nothing HTTP/1.1"), std::string("POST /v1/chat/completions HTTP/1.1")}) {
        Client client(port());
        client.send(line + cat("\r\nHost: 127.0.0.1:", port(), "\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n") +
                    cat("Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ", hidden.size(), "\r\n\r\n") + hidden);
        const std::string all = client.until("no answer has this", 3'000);
        EXPECT_EQ(answers_in(all), 1) << line.substr(0, 40);
        EXPECT_EQ(all.find(" 202 "), std::string::npos) << line.substr(0, 40);
        EXPECT_TRUE(client.ended(1'000));
    }
    EXPECT_TRUE(wait_for_state("ember", "ready"));
}

}  // namespace
}  // namespace hearth
