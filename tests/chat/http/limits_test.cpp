// Requests that are too large, too slow, or no HTTP at all.
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>

#include "base/text.h"
#include "chat/http/routes.h"
#include "tests/chat/http/bare_server.h"
#include "tests/chat/http/running_server.h"
#include "tests/support/wait_until.h"

namespace hearth {
namespace {

using testing::Client;
using testing::request_text;

constexpr const char* kChat = "/v1/chat/completions";

class LimitsTest : public testing::ServerTest {
protected:
    static int status_of(const std::string& bytes) {
        Client client(port());
        client.send(bytes);
        return client.reply(15'000).status;
    }
    static bool is_alive() { return testing::get(port(), "/health").status == 200; }
};

TEST_F(LimitsTest, RefusesABodyOverTheLimitWithoutReadingIt) {
    Client client(port());
    client.send(request_text(port(), "POST", kChat, "", {"Content-Length: 8388609"}));
    const auto reply = client.reply(5'000);  // not a byte of the body was sent
    EXPECT_EQ(reply.status, 413);
    EXPECT_NE(testing::error_of(reply).at("message").get<std::string>().find("8388608"), std::string::npos);
    EXPECT_TRUE(client.ended());
}

TEST_F(LimitsTest, TakesABodyOfExactlyTheLimit) {
    std::string body = testing::small_request().dump();
    body.resize(8 << 20, ' ');
    EXPECT_EQ(testing::post(port(), kChat, body).status, 200);
}

TEST_F(LimitsTest, TakesBodiesInOneFramingOnly) {
    const auto status = [](const testing::Headers& headers) { return status_of(request_text(port(), "POST", kChat, "{}", headers)); };
    EXPECT_EQ(status({"Content-Length:"}), 411);
    EXPECT_EQ(status({"Content-Length:", "Transfer-Encoding: chunked"}), 411);
    EXPECT_EQ(status({"Content-Length: 2", "Transfer-Encoding: chunked"}), 411);
    EXPECT_EQ(status({"Content-Length: 2", "Content-Length: 3"}), 400);
    EXPECT_EQ(status({"Content-Length: 2", "Content-Encoding: gzip"}), 415);
    for (const char* length : {"-2", "+2", "0x2", "2 2", "two", "2,2", "1e1", "18446744073709551618", "99999999999999999999999999"}) {
        EXPECT_GE(status({cat("Content-Length: ", length)}), 400) << length;
        EXPECT_LT(status({cat("Content-Length: ", length)}), 500) << length;
    }
}

TEST_F(LimitsTest, NeverTakesAnUnreadBodyForARequest) {
    const std::string hidden = request_text(port(), "GET", "/health");
    for (const testing::Headers& headers : {testing::Headers{"Content-Type: text/plain"}, testing::Headers{"Origin: http://example.com"},
                                            testing::Headers{"Content-Length:", "Transfer-Encoding: chunked"}}) {
        Client client(port());
        client.send(request_text(port(), "POST", kChat, hidden, headers));
        EXPECT_GE(client.reply(5'000).status, 400) << headers[0];
        EXPECT_EQ(client.reply(3'000).status, 0) << headers[0];
    }
    Client client(port());
    client.send(request_text(port(), "GET", "/health", hidden, {cat("Content-Length: ", hidden.size())}));
    client.reply(5'000);
    EXPECT_EQ(client.reply(3'000).status, 0);
}

TEST_F(LimitsTest, BoundsTheTargetAndTheHead) {
    EXPECT_EQ(status_of(request_text(port(), "GET", "/" + std::string(2'000, 'a'))), 404);
    EXPECT_EQ(status_of(request_text(port(), "GET", "/" + std::string(8'100, 'a'))), 404);
    EXPECT_EQ(status_of(request_text(port(), "GET", "/v1/models/" + std::string(8'100, '%'))), 404);
    EXPECT_EQ(status_of(request_text(port(), "GET", "/" + std::string(8'300, 'a'))), 414);
    EXPECT_EQ(status_of(request_text(port(), "GET", "/" + std::string(40'000, 'a'))), 431);
    EXPECT_EQ(status_of(request_text(port(), "GET", "/health", "", {"X: " + std::string(7'000, 'x')})), 200);
    EXPECT_EQ(status_of(request_text(port(), "GET", "/health", "", {"X: " + std::string(60'000, 'x')})), 431);
    EXPECT_EQ(status_of(request_text(port(), "GET", "/health", "", testing::Headers(60, "X: y"))), 200);
    EXPECT_EQ(status_of(request_text(port(), "GET", "/health", "", testing::Headers(80, "X: y"))), 431);
    EXPECT_EQ(status_of(request_text(port(), "GET", "/health", "", testing::Headers(4'000, "X: yyyyyyyy"))), 431);
    EXPECT_TRUE(is_alive());
}

TEST_F(LimitsTest, IgnoresRangesWhoseSumWouldBeHuge) {
    std::string ranges = "Range: bytes=0-";
    for (int i = 0; i < 1'500; ++i) ranges += ",0-";
    EXPECT_LT(testing::get(port(), "/assets/app.js", {ranges}).body.size(), 100'000u);
    EXPECT_EQ(testing::status_of(testing::get(port(), "/health", {"Range: bytes=0-3"}).body), "ok");
}

TEST_F(LimitsTest, SurvivesBytesThatAreNoHttp) {
    const std::string host = cat("Host: 127.0.0.1:", port(), "\r\n");
    const std::string samples[] = {"\r\n\r\n",
                                   "GET\r\n\r\n",
                                   "GET / HTTP/9.9\r\n\r\n",
                                   "GET /health HTTP/1.1\n\n",
                                   std::string("GET /\0 HTTP/1.1\r\n\r\n", 19),
                                   "GET / HTTP/1.1 x\r\n\r\n",
                                   "\x16\x03\x01\x02",
                                   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                   "GET http://x/ HTTP/1.1\r\n" + host + "\r\n",
                                   "GET * HTTP/1.1\r\n" + host + "\r\n",
                                   "GET /?a=%&b=%zz&%u12 HTTP/1.1\r\n" + host + "\r\n",
                                   "GET /health HTTP/1.1\r\n:\r\n : \r\n" + host + "\r\n"};
    for (const std::string& bytes : samples) {
        Client client(port());
        client.send(bytes);
        client.receive(200);
    }
    std::mt19937 random(11);
    for (int i = 0; i < 200; ++i) {
        std::string bytes = i % 2 ? request_text(port(), "POST", kChat, testing::small_request().dump()) : std::string(300, '\0');
        for (int n = 0; n < (i % 2 ? 4 : 300); ++n) bytes[random() % bytes.size()] = static_cast<char>(random());
        Client client(port());
        client.send(bytes);
        if (i % 10 == 0) client.receive(50);
    }
    EXPECT_TRUE(is_alive());
}

TEST_F(LimitsTest, ServesSeveralRequestsOfOneConnection) {
    Client client(port());
    const std::string chat = testing::small_request().dump();
    client.send(request_text(port(), "GET", "/health") + request_text(port(), "POST", kChat, chat) +
                request_text(port(), "GET", "/health"));
    EXPECT_EQ(client.reply().status, 200);
    EXPECT_EQ(client.reply().status, 200);
    EXPECT_EQ(testing::status_of(client.reply().body), "ok");
}

/// Answers a POST with the length of its body, and a GET with a stream that has no end.
class EchoServer {
public:
    explicit EchoServer(const ConnectionLimits& limits) : server_([this](const HttpRequest& request) { return answer(request); }, limits) {}
    int port() const { return server_.port(); }
    int streams_ended() const { return streams_ended_; }

private:
    HttpResponse answer(const HttpRequest& request) {
        if (request.method == "POST") return json_response(200, cat(request.body.size()));
        HttpResponse endless;
        endless.stream = [this](BodyWriter& writer) {
            while (writer.write(std::string(1 << 20, 'x'))) {}
            ++streams_ended_;
        };
        return endless;
    }

    std::atomic<int> streams_ended_{0};
    testing::BareServer server_;
};

ConnectionLimits short_limits() {
    constexpr std::chrono::milliseconds kShort{300};
    return {.idle = kShort, .head = kShort, .body = kShort, .write_stall = kShort};
}

TEST(Deadlines, EndAConnectionThatIdles) {
    EchoServer server(short_limits());
    Client client(server.port());
    EXPECT_TRUE(client.ended());
}

TEST(Deadlines, EndAHeadThatDripsIn) {
    EchoServer server(short_limits());
    Client client(server.port());
    for (int i = 0; i < 20; ++i) {
        client.send(i == 0 ? "GET /x HTTP/1.1\r\n" : "X: y\r\n");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(client.reply(3'000).status, 408);
    EXPECT_TRUE(client.ended());
}

TEST(Deadlines, EndABodyThatDripsIn) {
    EchoServer server(short_limits());
    Client client(server.port());
    client.send(request_text(server.port(), "POST", "/x", "", {"Content-Length: 1000"}));
    for (int i = 0; i < 20; ++i) {
        client.send("x");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(client.reply(3'000).status, 408);
    EXPECT_TRUE(client.ended());
}

TEST(Deadlines, EndAnAnswerThatNobodyReads) {
    EchoServer server(short_limits());
    Client client(server.port());
    client.send(request_text(server.port(), "GET", "/x"));
    testing::wait_until([&] { return server.streams_ended() == 1; });
}

TEST(Connections, SlowOnesDoNotKeepOthersOut) {
    EchoServer server(ConnectionLimits{});
    std::vector<std::unique_ptr<Client>> slow;
    for (int i = 0; i < 200; ++i) {
        slow.push_back(std::make_unique<Client>(server.port()));
        slow.back()->send("POST /x HTTP/1.1\r\nHo");
    }
    EXPECT_EQ(testing::post(server.port(), "/x", "abc").body, "3");
}

TEST(Connections, AreBoundedAndTheNextIsTold) {
    EchoServer server(ConnectionLimits{});
    std::vector<std::unique_ptr<Client>> held;
    for (int i = 0; i < kMaxConnections; ++i) {
        held.push_back(std::make_unique<Client>(server.port()));
        held.back()->send(request_text(server.port(), "POST", "/x", "abc"));
        ASSERT_EQ(held.back()->reply().status, 200) << i;
    }
    Client one_more(server.port());
    EXPECT_EQ(one_more.reply(5'000).status, 503);
    held.clear();
    testing::wait_until([&] { return testing::post(server.port(), "/x", "abc").status == 200; });
}

}  // namespace
}  // namespace hearth
