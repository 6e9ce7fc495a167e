// What the server writes about requests, and what it never writes.
#include "chat/http/request_log.h"

#include <gmock/gmock.h>

#include <mutex>

#include "base/text.h"
#include "tests/chat/http/running_server.h"
#include "tests/support/wait_until.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::Client;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using testing::request_text;
using testing::small_request;
using ::testing::UnorderedElementsAre;

constexpr const char* kChat = "/v1/chat/completions";

/// A server with Ember whose log is kept.
class LoggedServer {
public:
    explicit LoggedServer(bool all) {
        ServerOptions options;
        options.port = 0;
        options.log_all_requests = all;
        options.request_log = [this](const std::string& line) {
            const std::lock_guard lock(mutex_);
            lines_.push_back(line);
        };
        server_ = std::make_unique<Server>(std::move(options));
        server_->start();
    }
    int port() const { return server_->port(); }
    void stop(int drain_ms) { server_->stop(drain_ms); }

    /// Once there are `count`: an answer is read before its line is written.
    std::vector<std::string> lines(size_t count) {
        testing::wait_until([&] {
            const std::lock_guard lock(mutex_);
            return lines_.size() >= count;
        });
        const std::lock_guard lock(mutex_);
        return lines_;
    }

private:
    std::mutex mutex_;
    std::vector<std::string> lines_;
    std::unique_ptr<Server> server_;
};

std::string line_of(const std::string& what) { return "2[0-9-]+T[0-9:]+Z " + what + " [0-9]+ ms"; }

TEST(RequestLog, HasALineForEachRequestThatFailedAndNoText) {
    LoggedServer server(false);
    const int port = server.port();
    testing::get(port, "/health");
    testing::post(port, kChat, small_request().dump());
    testing::post(port, kChat, R"({"messages":"SECRET"})");
    testing::get(port, "/SECRET");
    testing::get(port, "/v1/models/SECRET");
    testing::post(port, kChat, "{}", {"Origin: http://SECRET"});
    json request = small_request("SECRET");
    request["model"] = "SECRET";
    testing::post(port, kChat, request.dump());
    Client client(port);
    client.send("GET /a SECRET HTTP/1.1\r\n\r\n");
    client.reply();
    const auto lines = server.lines(6);
    EXPECT_THAT(
        lines, UnorderedElementsAre(MatchesRegex(line_of("400 POST /v1/chat/completions")), MatchesRegex(line_of("404 no route")),
                                    MatchesRegex(line_of("404 GET /v1/models/\\*")), MatchesRegex(line_of("403 POST /v1/chat/completions")),
                                    MatchesRegex(line_of("404 POST /v1/chat/completions")), MatchesRegex(line_of("400 unread"))));
    for (const std::string& line : lines) EXPECT_EQ(line.find("SECRET"), std::string::npos) << line;
}

TEST(RequestLog, HasALineForAnAnswerThatFailsInItsStream) {
    LoggedServer server(false);
    Client client(server.port());
    json request = small_request("Tell me a story");
    request["stream"] = request["ignore_eos"] = true;
    request.erase("max_tokens");
    client.send(request_text(server.port(), "POST", kChat, request.dump()));
    client.until("\"content\":\"\"");
    server.stop(0);
    client.until("\"error\"");
    EXPECT_THAT(server.lines(1), ElementsAre(MatchesRegex(line_of("503 POST /v1/chat/completions"))));
}

TEST(RequestLog, HasALineForEveryRequestWhenAsked) {
    LoggedServer server(true);
    testing::get(server.port(), "/health");
    testing::get(server.port(), "/nothing");
    testing::get(server.port(), "/assets/app.js");
    EXPECT_THAT(server.lines(3), UnorderedElementsAre(MatchesRegex(line_of("200 GET /health")), MatchesRegex(line_of("404 no route")),
                                                      MatchesRegex(line_of("200 GET /assets/\\*"))));
}

TEST(RequestLog, WithoutASinkNothingIsWritten) {
    ::testing::internal::CaptureStderr();
    const auto server = testing::start_server();
    testing::get(server->port(), "/nothing");
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), IsEmpty());
}

}  // namespace
}  // namespace hearth
