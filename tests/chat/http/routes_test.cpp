// The table of routes, and what is not in it.
#include "chat/http/routes.h"

#include <chrono>
#include <filesystem>

#include "chat/http/assets.h"
#include "tests/chat/http/running_server.h"

namespace hearth {
namespace {

using nlohmann::json;

class RoutesTest : public testing::ServerTest {};

TEST_F(RoutesTest, ServesThePageAndItsFiles) {
    const auto page = testing::get(port(), "/");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
    EXPECT_NE(page.body.find("<title>Hearth</title>"), std::string::npos);
    EXPECT_EQ(page.body.find("http://"), page.body.find("http://www.w3.org")) << "the page asks for nothing from elsewhere";
    ASSERT_GE(assets().size(), 5u);
    for (const Asset& asset : assets()) {
        const auto reply = testing::get(port(), "/assets/" + std::string(asset.name));
        EXPECT_EQ(reply.status, 200) << asset.name;
        EXPECT_EQ(reply.body, asset.body) << asset.name;
        const auto again = testing::get(port(), "/assets/" + std::string(asset.name), {"If-None-Match: " + reply.headers.at("etag")});
        EXPECT_EQ(again.status, 304) << asset.name;
        EXPECT_EQ(again.body, "");
    }
}

TEST_F(RoutesTest, EveryFileThatThePageNamesIsThere) {
    for (const Asset& asset : assets()) {
        const std::string text(asset.body);
        for (const char* mark : {"\"/assets/", "from \"./"}) {
            for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
                const size_t begin = at + std::string(mark).size();
                const std::string name = text.substr(begin, text.find('"', begin) - begin);
                EXPECT_EQ(testing::get(port(), "/assets/" + name).status, 200) << asset.name << " names " << name;
            }
        }
    }
}

TEST_F(RoutesTest, AnswersWithAndWithoutATrailingSlash) {
    for (const char* path : {"/health", "/health/", "/v1/models", "/v1/models/", "/v1/models/ember", "/v1/models/ember/",
                             "/v1/models/org/pair", "/v1/models/org%2Fpair", "/api/models/"}) {
        EXPECT_EQ(testing::get(port(), path).status, 200) << path;
    }
    EXPECT_EQ(testing::post(port(), "/v1/chat/completions/", testing::small_request().dump()).status, 200);
}

TEST_F(RoutesTest, DeniesWhatIsNotInTheTable) {
    for (const char* path : {"/nowhere", "/v1", "/v1/", "/v2/models", "/assets", "/assets/", "/assets/x.js", "/assets/../index.html",
                             "/assets/%2e%2e/server.cpp", "/..%2f..%2fetc/passwd", "/health//", "//health", "/HEALTH", "/healthx",
                             "/health%00", "/api/models/load/x", "/v1/models/nobody", "/%ff%fe", "/v1/models/%0d%0aX:%20y"}) {
        const auto reply = testing::get(port(), path);
        EXPECT_EQ(reply.status, 404) << path;
        testing::error_of(reply);
    }
}

TEST_F(RoutesTest, TellsWhichMethodsAPathTakes) {
    const auto reply = testing::get(port(), "/v1/chat/completions");
    EXPECT_EQ(reply.status, 405);
    EXPECT_EQ(reply.headers.at("allow"), "POST");
    for (const char* method : {"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"}) {
        testing::Client client(port());
        client.send(testing::request_text(port(), method, "/health", "", {"Content-Length: 0"}));
        EXPECT_EQ(client.reply().status, 405) << method;
    }
    testing::Client client(port());
    client.send(testing::request_text(port(), "BREW", "/health"));
    EXPECT_EQ(client.reply().status, 400);
}

TEST_F(RoutesTest, AnswersHeadWithTheHeadAlone) {
    testing::Client client(port());
    client.send(testing::request_text(port(), "HEAD", "/health"));
    const auto reply = client.reply(5'000, true);
    EXPECT_EQ(reply.status, 200);
    client.send(testing::request_text(port(), "GET", "/health"));
    EXPECT_EQ(testing::status_of(client.reply().body), "ok");
}

TEST_F(RoutesTest, ListsModelsAsOpenAiDoes) {
    ASSERT_TRUE(wait_for_state("ember", "ready"));
    const auto list = json::parse(testing::get(port(), "/v1/models").body);
    EXPECT_EQ(list.at("object"), "list");
    std::vector<std::string> ids;
    for (const auto& model : list.at("data")) {
        EXPECT_EQ(model.at("object"), "model");
        EXPECT_EQ(model.at("owned_by"), "hearth");
        EXPECT_TRUE(model.at("created").is_number_integer());
        ids.push_back(model.at("id"));
    }
    EXPECT_EQ(ids, (std::vector<std::string>{"ember", "broken", "org/pair", "twin"}));
    EXPECT_EQ(list.at("data")[0].at("max_model_len"), 1024);
    EXPECT_GT(list.at("data")[0].at("created").get<int64_t>(), 1'600'000'000);
    EXPECT_EQ(testing::error_of(testing::get(port(), "/v1/models/nobody")).at("code"), "model_not_found");
}

TEST_F(RoutesTest, ListsModelsForThePage) {
    ASSERT_TRUE(wait_for_state("ember", "ready"));
    const auto list = json::parse(testing::get(port(), "/api/models").body).at("models");
    ASSERT_EQ(list.size(), 4u);
    EXPECT_EQ(list[0].at("name"), "ember");
    EXPECT_EQ(list[0].at("builtin"), true);
    EXPECT_EQ(list[0].at("context"), 1024);
    EXPECT_GT(list[0].at("bytes"), 10'000'000);
    EXPECT_GT(list[0].at("parameters"), 5'000'000);
    EXPECT_EQ(list[3].at("state"), "idle");
}

}  // namespace
}  // namespace hearth
