// Who may talk to the server.
#include "chat/http/gate.h"

#include "base/error.h"
#include "base/text.h"
#include "chat/http/routes.h"
#include "tests/chat/http/running_server.h"

namespace hearth {
namespace {

using testing::Headers;

class GateTest : public testing::ServerTest {
protected:
    static int status_for_host(const std::string& host) { return testing::get(port(), "/health", {"Host: " + host}).status; }
};

TEST_F(GateTest, AnswersToLoopbackNamesAndAddressesWithAnyPortOrNone) {
    for (const std::string& port :
         {cat(':', GateTest::port()), std::string(), std::string(":9000"), std::string(":80"), std::string(":65535")}) {
        for (const char* host :
             {"localhost", "LocalHost", "localhost.", "127.0.0.1", "[::1]", "127.0.0.2", "192.168.0.1", "[fd00::5]", "[::ffff:127.0.0.1]"})
            EXPECT_EQ(status_for_host(host + port), 200) << host << port;
    }
}

TEST_F(GateTest, AnswersToNoOtherName) {
    const std::string p = cat(':', port());
    const std::string strangers[] = {
        "example.com",
        "example.com" + p,
        "localhost.example.com" + p,
        "localhost.." + p,
        "xlocalhost" + p,
        "127.0.0.1.nip.io" + p,
        "127.0.0.1.",
        "127.1" + p,
        "127.0.0.01.2" + p,
        "256.0.0.1" + p,
        "2130706433" + p,
        "0x7f000001" + p,
        "hearth.local" + p,
        "host.internal" + p,
        "localhost" + p + ":1",
        "localhost:123456",
        "localhost:8a",
        "127.0.0.1" + p + ".",
        "[::1" + p,
        "[::1]x",
        "[localhost]" + p,
        "[]" + p,
    };
    for (const std::string& host : strangers) EXPECT_EQ(status_for_host(host), 421) << host;
}

TEST_F(GateTest, TheRefusalOfANameNamesTheOptionThatAddsIt) {
    const auto message = testing::error_of(testing::get(port(), "/health", {"Host: hearth.local:9000"})).at("message").get<std::string>();
    EXPECT_NE(message.find("--allowed-host hearth.local"), std::string::npos) << message;
}

TEST_F(GateTest, RefusesARequestWithoutExactlyOneSensibleHost) {
    const std::string p = cat(':', port()), mine = "Host: localhost" + p;
    for (const Headers& headers :
         {Headers{"Host:"}, Headers{"Host: "}, Headers{"Host: " + p}, Headers{"Host: ::1" + p}, Headers{mine, mine},
          Headers{mine, "Host: example.com"}, Headers{"Host: user@localhost" + p}, Headers{"Host: localhost" + p + "/"},
          Headers{"Host: local host" + p}, Headers{"Host: " + std::string(300, 'a')}}) {
        EXPECT_EQ(testing::get(port(), "/health", headers).status, 400) << headers[0];
    }
}

TEST_F(GateTest, ChangesNothingForOtherOriginsOrOtherTypes) {
    const std::string self = cat("http://127.0.0.1:", port());
    const auto status = [](const Headers& headers) {
        return testing::post(port(), "/api/models/load", R"({"model":"ember"})", headers).status;
    };
    for (const Headers& headers :
         {Headers{}, Headers{"Origin: " + self}, Headers{"Origin: " + self, "Sec-Fetch-Site: same-origin"}, Headers{"Sec-Fetch-Site: none"},
          Headers{"Content-Type: application/json; charset=utf-8"}, Headers{"Content-Type: Application/JSON"}}) {
        EXPECT_EQ(status(headers), 202) << (headers.empty() ? "" : headers[0]);
    }
    for (const Headers& headers :
         {Headers{"Origin: http://example.com"}, Headers{"Origin: null"}, Headers{"Origin: https://127.0.0.1:" + cat(port())},
          Headers{"Origin: http://localhost:" + cat(port())}, Headers{"Origin: http://127.0.0.1"},
          Headers{"Origin: " + self + ".example.com"}, Headers{"Origin: " + self, "Origin: http://example.com"},
          Headers{"Sec-Fetch-Site: cross-site"}, Headers{"Sec-Fetch-Site: same-site"},
          Headers{"Origin: " + self, "Sec-Fetch-Site: cross-site"}, Headers{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: none"}}) {
        EXPECT_EQ(status(headers), 403) << headers[0];
    }
    for (const Headers& headers :
         {Headers{"Content-Type:"}, Headers{"Content-Type: text/plain"}, Headers{"Content-Type: application/x-www-form-urlencoded"},
          Headers{"Content-Type: multipart/form-data; boundary=x"}, Headers{"Content-Type: text/plain; application/json"},
          Headers{"Content-Type: application/jsonp"}, Headers{"Content-Type: application/json", "Content-Type: text/plain"}}) {
        EXPECT_EQ(status(headers), 415) << headers[0];
    }
}

TEST_F(GateTest, GuardsEveryRouteThatTakesWorkOrChangesState) {
    for (const Route& route : routes()) {
        EXPECT_EQ(route.method == "GET", route.who == Caller::kAnyone) << route.path;
        if (route.method == "GET") continue;
        EXPECT_EQ(testing::post(port(), std::string(route.path), "{}", {"Origin: http://example.com"}).status, 403) << route.path;
        EXPECT_EQ(testing::post(port(), std::string(route.path), "{}", {"Content-Type: text/plain"}).status, 415) << route.path;
    }
}

TEST_F(GateTest, NeverInvitesOtherOrigins) {
    for (const char* path : {"/", "/v1/models", "/nowhere"}) {
        const auto reply = testing::get(port(), path, {"Origin: http://example.com"});
        for (const auto& [name, value] : reply.headers)
            EXPECT_FALSE(name.starts_with("access-control")) << path << ' ' << name << ": " << value;
    }
    testing::Client client(port());
    client.send(testing::request_text(port(), "OPTIONS", "/v1/chat/completions", "",
                                      {"Origin: http://example.com", "Access-Control-Request-Method: POST"}));
    EXPECT_EQ(client.reply().status, 405);
}

TEST_F(GateTest, EveryAnswerCarriesTheSecurityHeaders) {
    for (const char* path : {"/", "/assets/app.js", "/v1/models", "/health", "/nowhere", "/assets/../server"}) {
        const auto reply = testing::get(port(), path);
        for (const auto& [name, value] : security_headers()) {
            std::string key = name;
            for (char& c : key) c = static_cast<char>(std::tolower(c));
            ASSERT_TRUE(reply.headers.contains(key)) << path << ' ' << name;
            EXPECT_EQ(reply.headers.at(key), value) << path;
        }
    }
    EXPECT_EQ(testing::get(port(), "/").headers.at("content-security-policy").find("unsafe"), std::string::npos);
}

TEST(Gate, AllowsTheNamesThatItIsGiven) {
    const Gate gate({"Box", "hearth.example"});
    const auto allowed = [&](const std::string& host) {
        HttpRequest request;
        request.headers = {{"host", host}};
        return !gate.check_host(request);
    };
    for (const char* host : {"box", "BOX:8080", "hearth.example", "hearth.example:1", "localhost", "10.0.0.1:9000"})
        EXPECT_TRUE(allowed(host)) << host;
    for (const char* host : {"boxes", "x.box", "hearth.example.com", "example"}) EXPECT_FALSE(allowed(host)) << host;
    for (const char* name : {"", "box:80", "*", "*.example", "http://box", "a b", "[::1]", ".box", "-box", "b\x1b[31m"})
        EXPECT_THROW(Gate({name}), Error) << name;
}

TEST(Gate, KnowsWhatOnlyThisMachineReaches) {
    for (const char* host : {"localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.255.0.3", "127.1", "127.0.1", "::1"})
        EXPECT_TRUE(is_loopback(host)) << host;
    for (const char* host : {"0.0.0.0", "::", "", "0", "192.168.1.5", "127.example.com", "127.0.0.1.example.com", "127.1 x", "localhost..",
                             "1.127", "box", "1.127.0.0"})
        EXPECT_FALSE(is_loopback(host)) << host;
}

}  // namespace
}  // namespace hearth
