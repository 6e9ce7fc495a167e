// The server's beginning, its end, and the change of models.
#include "chat/http/server.h"

#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "tests/chat/http/running_server.h"
#include "tests/support/wait_until.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::small_request;

constexpr const char* kChat = "/v1/chat/completions";

TEST(ServerStart, NamesAPortThatIsTaken) {
    const auto first = testing::start_server();
    ServerOptions options;
    options.port = first->port();
    Server second(options);
    try {
        second.start();
        FAIL() << "two servers share a port";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::kNoResources);
        EXPECT_NE(std::string(e.what()).find(cat(first->port())), std::string::npos) << e.what();
        EXPECT_NE(std::string(e.what()).find("127.0.0.1"), std::string::npos) << e.what();
    }
    EXPECT_EQ(testing::get(first->port(), "/health").status, 200);
}

TEST(ServerStart, RefusesAHostOfAnotherMachine) {
    ServerOptions options;
    options.host = "203.0.113.7";
    options.insecure_no_auth = true;
    options.port = 0;
    Server server(options);
    EXPECT_THROW(server.start(), Error);
}

TEST(ServerStart, ListensWhereOthersReachItOnlyWhenToldThatNobodyNeedsAKey) {
    for (const char* host : {"0.0.0.0", "::", "192.168.1.5", "box", "0", "127.example.com"}) {
        ServerOptions options;
        options.host = host;
        options.port = 0;
        try {
            Server server(options);
            FAIL() << host;
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::kBadInput);
            EXPECT_NE(std::string(e.what()).find("--insecure-no-auth"), std::string::npos) << e.what();
        }
    }
    ServerOptions options;
    options.host = "0.0.0.0";
    options.port = 0;
    options.insecure_no_auth = true;
    Server server(options);
    server.start();
    EXPECT_EQ(testing::get(server.port(), "/health").status, 200);
}

TEST(ServerStart, AnEmptyHostListensNowhere) {
    ServerOptions options;
    options.host = "";
    options.port = 0;
    options.insecure_no_auth = true;
    EXPECT_THROW(Server{options}, Error);
}

TEST(ServerStart, AnswersToTheNamesThatAreAllowed) {
    ServerOptions options;
    options.port = 0;
    options.allowed_hosts = {"box", "hearth.example"};
    Server server(options);
    server.start();
    for (const char* host : {"box", "box:1234", "hearth.example:80"})
        EXPECT_EQ(testing::get(server.port(), "/health", {cat("Host: ", host)}).status, 200);
    EXPECT_EQ(testing::get(server.port(), "/health", {"Host: example.com"}).status, 421);
}

TEST(ServerStart, RefusesAModelThatIsNotThere) {
    ServerOptions options;
    options.model.model = "no-such-model";
    EXPECT_THROW(Server{options}, Error);
}

TEST(ServerStart, HasItsPortBackAtOnce) {
    auto server = testing::start_server();
    const int port = server->port();
    EXPECT_EQ(server->url(), cat("http://127.0.0.1:", port, "/"));
    EXPECT_EQ(testing::get(port, "/health").status, 200);
    server.reset();
    ServerOptions options;
    options.port = port;
    Server again(options);
    EXPECT_NO_THROW(again.start());
    EXPECT_EQ(testing::get(port, "/health").status, 200);
}

TEST(ServerStart, AnswersEvenWhenItsModelCannotBeLoaded) {
    testing::ModelFolder models;
    const auto server = testing::start_server("broken");
    EXPECT_EQ(testing::get(server->port(), "/").status, 200);
    json request = small_request();
    request["model"] = "broken";
    const auto reply = testing::post(server->port(), kChat, request.dump());
    EXPECT_GE(reply.status, 500);
    EXPECT_EQ(testing::error_of(reply).at("code"), "model_not_loaded");
    EXPECT_EQ(testing::post(server->port(), kChat, small_request().dump()).status, 200);  // Ember is there still
}

TEST(ServerStop, LetsARunningAnswerEnd) {
    const auto server = testing::start_server();
    testing::Client client(server->port());
    json request = small_request("Tell me a story");
    request["stream"] = true;
    request["max_tokens"] = 100;
    client.send(testing::request_text(server->port(), "POST", kChat, request.dump()));
    client.until("\"content\":\"\"");
    server->stop(60'000);
    EXPECT_NE(client.until("[DONE]").find("[DONE]"), std::string::npos);
    server->wait();
    EXPECT_THROW(testing::Client{server->port()}, std::exception);
}

TEST(ServerStop, CancelsWhatDoesNotEndInTime) {
    const auto server = testing::start_server();
    json request = small_request("Tell me a story");
    request["stream"] = true;
    request["ignore_eos"] = true;
    request.erase("max_tokens");
    std::vector<std::unique_ptr<testing::Client>> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(std::make_unique<testing::Client>(server->port()));
        clients.back()->send(testing::request_text(server->port(), "POST", kChat, request.dump()));
    }
    clients[0]->until("\"content\":\"\"");
    server->stop(0);
    server->wait();  // the test ends only if this does
    for (auto& client : clients) EXPECT_TRUE(client->ended());
}

TEST(ServerStop, MayComeBeforeTheModelIsLoadedAndMoreThanOnce) {
    for (int i = 0; i < 5; ++i) {
        const auto server = testing::start_server();
        server->stop(0);
        server->stop(1000);
        server->wait();
        server->wait();
    }
    Server never_started{ServerOptions{}};
}

class SwitchTest : public testing::ServerTest {
protected:
    static int load(const std::string& name) { return testing::post(port(), "/api/models/load", json{{"model", name}}.dump()).status; }
    static std::string model_of(const testing::Reply& reply) { return json::parse(reply.body).value("model", ""); }
    static testing::Reply ask(const std::string& model) {
        json request = small_request();
        request["model"] = model;
        return chat(request);
    }
};

TEST_F(SwitchTest, LoadsWhatThePageChooses) {
    ASSERT_TRUE(wait_for_state("ember", "ready"));
    EXPECT_EQ(load("twin"), 202);
    EXPECT_TRUE(wait_for_state("twin", "ready"));
    EXPECT_TRUE(wait_for_state("ember", "ready")) << "there is room for both";
    json request = small_request();
    request.erase("model");
    EXPECT_EQ(model_of(chat(request)), "twin");
}

TEST_F(SwitchTest, LoadsWhatARequestNames) {
    for (const char* name : {"ember", "twin", "org/pair", "ember"}) EXPECT_EQ(model_of(ask(name)), name);
}

TEST_F(SwitchTest, ServesEveryRequestByTheModelThatItNames) {
    const char* names[] = {"ember", "twin", "org/pair"};
    std::vector<std::string> got(12);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < got.size(); ++i) threads.emplace_back([&, i] { got[i] = model_of(ask(names[i % 3])); });
    for (auto& thread : threads) thread.join();
    for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], names[i % 3]) << i;
}

/// Bytes that Ember takes with a context of 128: a server's budget that has no room for two.
int64_t room_for_one() {
    LoadSettings settings;
    settings.context = 128;
    OpenPlace place;
    place.backend = make_backend({});
    return plan_model(find_model("ember"), settings, place).bytes / 2 * 3;
}

TEST_F(SwitchTest, LetsRunningAnswersEndFirst) {
    const auto server = testing::start_server("", 128, room_for_one());
    testing::Client client(server->port());
    json request = small_request("Tell me a story");
    request["max_tokens"] = 60;
    request["stream"] = true;
    client.send(testing::request_text(server->port(), "POST", kChat, request.dump()));
    client.until("\"content\":\"\"", 60'000);
    EXPECT_EQ(testing::post(server->port(), "/api/models/load", R"({"model": "twin"})").status, 202);
    const std::string all = client.until("[DONE]", 120'000);
    EXPECT_NE(all.find("[DONE]"), std::string::npos);
    EXPECT_EQ(all.find("\"error\""), std::string::npos);
    json next = small_request();
    next["model"] = "twin";
    EXPECT_EQ(model_of(testing::post(server->port(), kChat, next.dump())), "twin");
    const std::string list = testing::get(server->port(), "/api/models").body;
    EXPECT_NE(list.find("\"state\":\"idle\""), std::string::npos) << "Ember made room: " << list;
    server->stop(0);
}

TEST_F(SwitchTest, KeepsTheModelWhenAnotherCannotBeLoaded) {
    ASSERT_EQ(ask("ember").status, 200);
    EXPECT_EQ(load("broken"), 202);
    ASSERT_TRUE(wait_for_state("broken", "failed"));
    EXPECT_TRUE(wait_for_state("ember", "ready"));
    const auto reply = ask("broken");
    EXPECT_GE(reply.status, 500);
    const auto error = testing::error_of(reply);
    EXPECT_EQ(error.at("code"), "model_not_loaded");
    EXPECT_NE(error.at("message").get<std::string>().find("config.json"), std::string::npos) << error;
    EXPECT_EQ(ask("ember").status, 200);
}

TEST_F(SwitchTest, TheLastChoiceWins) {
    for (const char* name : {"twin", "ember", "org/pair", "twin", "ember", "org/pair"}) EXPECT_EQ(load(name), 202);
    EXPECT_TRUE(wait_for_state("org/pair", "ready"));
    testing::wait_until([] { return testing::get(port(), "/api/models").body.find("\"loading\"") == std::string::npos; });
    EXPECT_EQ(model_of(ask("")), "org/pair") << "none of the earlier choices comes after it";
}

TEST_F(SwitchTest, AClientThatLeavesWhileItWaitsHoldsNothingUp) {
    for (const char* name : {"twin", "ember", "twin", "ember"}) {
        testing::Client client(port());
        json request = small_request();
        request["model"] = name;
        client.send(testing::request_text(port(), "POST", kChat, request.dump()));
    }
    EXPECT_EQ(model_of(ask("org/pair")), "org/pair");
}

}  // namespace
}  // namespace hearth
