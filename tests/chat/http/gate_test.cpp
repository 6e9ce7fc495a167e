// Who may talk to the server.
#include "chat/http/gate.h"

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

TEST_F(GateTest, AnswersToItsOwnNamesOnly) {
    const std::string p = cat(':', port());
    for (const std::string& host : {"localhost" + p, "127.0.0.1" + p, "[::1]" + p, "LOCALHOST" + p, "LocalHost" + p}) {
        EXPECT_EQ(status_for_host(host), 200) << host;
    }
    const std::string strangers[] = {
        "example.com",
        "example.com" + p,
        "localhost",
        "127.0.0.1",
        "[::1]",
        "localhost:1",
        "127.0.0.1:80",
        "localhost.example.com" + p,
        "localhost." + p,
        "xlocalhost" + p,
        "127.0.0.1.nip.io" + p,
        "127.0.0.2" + p,
        "127.1" + p,
        "0.0.0.0" + p,
        "2130706433" + p,
        "0x7f000001" + p,
        "[::ffff:127.0.0.1]" + p,
        "hearth.local" + p,
        "host.internal" + p,
        "192.168.0.1" + p,
        "localhost" + p + "0",
        "localhost:0" + p.substr(1),
        "127.0.0.1" + p + ".",
        "[::1" + p,
    };
    for (const std::string& host : strangers) EXPECT_EQ(status_for_host(host), 421) << host;
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

TEST(Gate, AllowsTheHostThatTheServerListensAt) {
    const auto allowed = [](const std::string& listens_at, int port, const std::string& host) {
        HttpRequest request;
        request.headers = {{"host", host}};
        return !Gate(listens_at, port).check_host(request);
    };
    EXPECT_TRUE(allowed("192.168.1.5", 8080, "192.168.1.5:8080"));
    EXPECT_FALSE(allowed("192.168.1.5", 8080, "192.168.1.6:8080"));
    EXPECT_TRUE(allowed("fd00::5", 8080, "[fd00::5]:8080"));
    EXPECT_TRUE(allowed("Box", 80, "box"));
    EXPECT_TRUE(allowed("box", 80, "box:80"));
    EXPECT_FALSE(allowed("box", 8080, "box"));
    EXPECT_TRUE(allowed("0.0.0.0", 8080, "127.0.0.1:8080"));
    EXPECT_FALSE(allowed("0.0.0.0", 8080, "0.0.0.0:8080"));
}

}  // namespace
}  // namespace hearth
