#include "chat/api/chat_request.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "chat/api/api_error.h"
#include "chat/api/json_body.h"

namespace hearth {
namespace {

using nlohmann::json;

json minimal() { return json::parse(R"({"messages":[{"role":"user","content":"hi"}]})"); }

TEST(ChatRequest, LeavesToTheModelWhatIsNotSaid) {
    const ChatRequest request = parse_chat_request(minimal());
    EXPECT_EQ(request.model, "");
    EXPECT_EQ(request.max_tokens, -1);
    EXPECT_FALSE(request.temperature || request.top_p || request.top_k || request.min_p || request.repetition_penalty || request.seed);
    EXPECT_FALSE(request.stream || request.include_usage || request.ignore_eos);
    EXPECT_TRUE(request.stop.empty());
}

TEST(ChatRequest, ReadsEveryField) {
    json body = minimal();
    body.update(
        json::parse(R"({"model":"m","temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.05,"repetition_penalty":1.1,"frequency_penalty":-1,
        "presence_penalty":1,"seed":-1,"max_tokens":7,"max_completion_tokens":5,"stop":["a","b"],"stream":true,"stream_options":{"include_usage":true},"ignore_eos":true})"));
    const ChatRequest request = parse_chat_request(body);
    EXPECT_EQ(request.model, "m");
    EXPECT_FLOAT_EQ(*request.temperature, 0.5f);
    EXPECT_FLOAT_EQ(*request.top_p, 0.9f);
    EXPECT_EQ(request.top_k, 40);
    EXPECT_FLOAT_EQ(*request.min_p, 0.05f);
    EXPECT_FLOAT_EQ(*request.repetition_penalty, 1.1f);
    EXPECT_FLOAT_EQ(*request.frequency_penalty, -1);
    EXPECT_FLOAT_EQ(*request.presence_penalty, 1);
    EXPECT_EQ(request.seed, ~uint64_t{0});
    EXPECT_EQ(request.max_tokens, 5);
    EXPECT_EQ(request.stop, (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(request.stream && request.include_usage && request.ignore_eos);
}

TEST(ChatRequest, TurnsMinusOneForTopKIntoOff) {
    json body = minimal();
    body["top_k"] = -1;
    EXPECT_EQ(parse_chat_request(body).top_k, 0);
}

TEST(ChatRequest, NamesThePlaceOfAMistake) {
    json body = minimal();
    body["messages"].push_back({{"role", "user"}, {"content", json::array({{{"type", "text"}, {"text", "x"}}, {{"type", "audio"}}})}});
    try {
        parse_chat_request(body);
        FAIL();
    } catch (const ApiError& e) {
        EXPECT_EQ(e.status(), 400);
        EXPECT_EQ(e.param(), "messages[1].content[1]");
        EXPECT_NE(std::string(e.what()).find("audio"), std::string::npos) << e.what();
    }
}

TEST(JsonBody, CountsOnlyWhatStandsOutsideStrings) {
    const std::string brackets(1000, '[');
    EXPECT_EQ(parse_json_body("{\"a\":\"" + brackets + "\\\"[[\"}").at("a").get<std::string>().size(), 1003u);
    EXPECT_THROW(parse_json_body("{\"a\":" + brackets), ApiError);
    EXPECT_THROW(parse_json_body("{\"a\\"), ApiError);
}

TEST(ApiError, HasAllFourFieldsWhateverTheMessage) {
    const auto error = json::parse(ApiError(404, "bad \xFF bytes \"quoted\"\n").body()).at("error");
    EXPECT_EQ(error.at("type"), "invalid_request_error");
    EXPECT_TRUE(error.at("param").is_null() && error.at("code").is_null());
    EXPECT_EQ(json::parse(ApiError(503, "x", "p", "c").body()).at("error"),
              (json{{"message", "x"}, {"type", "server_error"}, {"param", "p"}, {"code", "c"}}));
}

TEST(ChatRequest, AKeyGivenTwiceIsRefusedByItsName) {
    for (const char* body : {R"({"model":"a","model":"b","messages":[]})", R"({"messages":[{"role":"user","model":1,"model":1}]})"}) {
        try {
            parse_json_body(body);
            ADD_FAILURE() << body;
        } catch (const ApiError& e) {
            EXPECT_EQ(e.status(), 400);
            EXPECT_EQ(std::string(e.what()), "the body: the key \"model\" stands twice in one object");
        }
    }
    EXPECT_NO_THROW(parse_json_body(R"({"a":{"model":1},"model":2,"b":[{"model":3},{"model":4}]})"));
}

TEST(ApiError, ANulByteEndsNoMessage) {
    const std::string nul(1, '\0');
    EXPECT_EQ(std::string(ApiError(400, "before" + nul + "behind").what()), "before\\x00behind");
    EXPECT_NE(ApiError(400, "before" + nul + "behind").body().find("behind"), std::string::npos);
}

}  // namespace
}  // namespace hearth
