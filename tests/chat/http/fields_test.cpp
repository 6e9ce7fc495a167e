// Every field of a chat request outside its range, of the wrong type, and null.
#include <limits>

#include "base/text.h"
#include "tests/chat/http/running_server.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::small_request;

struct NumberField {
    const char* name;
    json low, high, below, above;
    bool integer;
};

const NumberField kNumbers[] = {
    {.name = "temperature", .low = 0, .high = 2, .below = -0.01, .above = 2.01, .integer = false},
    {.name = "top_p", .low = 0, .high = 1, .below = -0.01, .above = 1.01, .integer = false},
    {.name = "min_p", .low = 0, .high = 1, .below = -0.01, .above = 1.01, .integer = false},
    {.name = "repetition_penalty", .low = 0.1, .high = 10, .below = 0.09, .above = 10.1, .integer = false},
    {.name = "frequency_penalty", .low = -2, .high = 2, .below = -2.01, .above = 2.01, .integer = false},
    {.name = "presence_penalty", .low = -2, .high = 2, .below = -2.01, .above = 2.01, .integer = false},
    {.name = "top_k", .low = -1, .high = 1'000'000, .below = -2, .above = 1'000'001, .integer = true},
    {.name = "max_tokens", .low = 1, .high = 2147483647, .below = 0, .above = 2147483648, .integer = true},
    {.name = "max_completion_tokens", .low = 1, .high = 2147483647, .below = 0, .above = 2147483648, .integer = true},
};

class FieldsTest : public testing::ServerTest {
protected:
    static testing::Reply with(const char* name, const json& value) {
        json request = small_request();
        request["max_tokens"] = 2;
        request[name] = value;
        return chat(request);
    }

    static void expect_refused(const char* name, const json& value) {
        const auto reply = with(name, value);
        EXPECT_EQ(reply.status, 400) << name << " = " << value;
        const auto error = testing::error_of(reply);
        EXPECT_NE(error.value("message", "").find(name), std::string::npos) << error;
        EXPECT_TRUE(error.at("param").get<std::string>().starts_with(name)) << error;
    }
};

TEST_F(FieldsTest, NumbersKeepWithinTheirRanges) {
    for (const NumberField& field : kNumbers) {
        EXPECT_EQ(with(field.name, field.low).status, 200) << field.name;
        EXPECT_EQ(with(field.name, field.high).status, 200) << field.name;
        EXPECT_EQ(with(field.name, nullptr).status, 200) << field.name;
        expect_refused(field.name, field.below);
        expect_refused(field.name, field.above);
        for (const json& value : {json("NaN"), json("1"), json(true), json::array({1}), json::object(), json(1e300), json(-1e300),
                                  json(std::numeric_limits<uint64_t>::max()), json(std::numeric_limits<int64_t>::min())}) {
            expect_refused(field.name, value);
        }
        if (field.integer) expect_refused(field.name, 1.5);
    }
}

TEST_F(FieldsTest, NumbersThatJsonDoesNotKnowAreNoJson) {
    for (const char* value : {"NaN", "Infinity", "-Infinity", "1e999", "-1e999", "01", ".5", "1.", "0x1"}) {
        std::string body = small_request().dump();
        body.insert(1, cat("\"top_p\":", value, ","));
        const auto reply = testing::post(port(), "/v1/chat/completions", body);
        EXPECT_EQ(reply.status, 400) << value;
        testing::error_of(reply);
    }
}

TEST_F(FieldsTest, TheSeedTakesEveryIntegerOf64Bits) {
    EXPECT_EQ(with("seed", std::numeric_limits<int64_t>::min()).status, 200);
    EXPECT_EQ(with("seed", std::numeric_limits<int64_t>::max()).status, 200);
    EXPECT_EQ(with("seed", nullptr).status, 200);
    expect_refused("seed", std::numeric_limits<uint64_t>::max());
    expect_refused("seed", 0.5);
    expect_refused("seed", "7");
}

TEST_F(FieldsTest, SwitchesAreTrueOrFalse) {
    for (const char* name : {"stream", "ignore_eos"}) {
        EXPECT_EQ(with(name, false).status, 200) << name;
        EXPECT_EQ(with(name, nullptr).status, 200) << name;
        for (const json& value : {json("true"), json(0), json(1), json::array(), json::object()}) expect_refused(name, value);
    }
}

TEST_F(FieldsTest, StopTextsHaveTheirBounds) {
    EXPECT_EQ(with("stop", std::string(256, 'x')).status, 200);
    EXPECT_EQ(with("stop", json(std::vector<std::string>(16, "x"))).status, 200);
    EXPECT_EQ(with("stop", json::array()).status, 200);
    EXPECT_EQ(with("stop", "").status, 200);
    EXPECT_EQ(with("truncate_prompt_tokens", -1).status, 200);
    EXPECT_EQ(with("stop", nullptr).status, 200);
    for (const json& value : {json(std::string(257, 'x')), json(std::vector<std::string>(17, "x")), json(1), json::array({1}),
                              json::array({""}), json::array({nullptr}), json::object()}) {
        expect_refused("stop", value);
    }
}

TEST_F(FieldsTest, MessagesAreWhatTheyShouldBe) {
    const json user{{"role", "user"}, {"content", "Hello"}};
    const json bad[] = {
        json::array(),
        json("Hello"),
        json::object(),
        json::array({"Hello"}),
        json::array({json::array()}),
        json::array({nullptr}),
        json(7),
        json::array({{{"content", "no role"}}}),
        json::array({{{"role", "robot"}, {"content", "x"}}}),
        json::array({{{"role", 1}, {"content", "x"}}}),
        json::array({{{"role", "tool"}, {"content", "x"}}}),
        json::array({{{"role", "user"}}}),
        json::array({{{"role", "user"}, {"content", nullptr}}}),
        json::array({{{"role", "user"}, {"content", 5}}}),
        json::array({{{"role", "user"}, {"content", {{"type", "text"}}}}}),
        json::array({{{"role", "user"}, {"content", json::array({"x"})}}}),
        json::array({{{"role", "user"}, {"content", json::array({{{"type", "text"}}})}}}),
        json::array({{{"role", "user"}, {"content", json::array({{{"type", "text"}, {"text", 5}}})}}}),
        json::array(
            {{{"role", "user"}, {"content", json::array({{{"type", "image_url"}, {"image_url", {{"url", "http://127.0.0.1/"}}}}})}}}),
        json::array({{{"role", "assistant"}, {"content", nullptr}, {"tool_calls", json::array({json::object()})}}}),
        json(std::vector<json>(4097, user)),
    };
    for (const json& value : bad) expect_refused("messages", value);
    json request = small_request();
    request.erase("messages");
    EXPECT_EQ(testing::error_of(chat(request)).at("param"), "messages");
}

TEST_F(FieldsTest, WhatIsNotServedIsRefusedAndNotForgotten) {
    expect_refused("tools", json::array({{{"type", "function"}}}));
    expect_refused("functions", json::array({json::object()}));
    expect_refused("tool_choice", "required");
    expect_refused("tool_choice", {{"type", "function"}});
    expect_refused("logit_bias", {{"5", 1}});
    expect_refused("logprobs", true);
    expect_refused("response_format", {{"type", "json_object"}});
    expect_refused("response_format", "text");
    expect_refused("stream_options", 5);
    expect_refused("chat_template_kwargs", {{"x", 1}});
    for (const auto& [name, value] : {std::pair<const char*, json>{"tools", json::array()},
                                      {"tool_choice", "none"},
                                      {"tool_choice", "auto"},
                                      {"logit_bias", json::object()},
                                      {"logprobs", false},
                                      {"response_format", {{"type", "text"}}},
                                      {"stream_options", {{"include_usage", false}}},
                                      {"user", "me"},
                                      {"metadata", {{"a", 1}}},
                                      {"never_heard_of", {1, 2}}}) {
        EXPECT_EQ(with(name, value).status, 200) << name;
    }
}

TEST_F(FieldsTest, BodiesAreJsonWithinLimits) {
    const auto nested = [](int depth) {
        return cat("{\"x\":", std::string(static_cast<size_t>(depth), '['), std::string(static_cast<size_t>(depth), ']'), ',',
                   small_request().dump().substr(1));
    };
    const auto status = [](const std::string& body) { return testing::post(port(), "/v1/chat/completions", body).status; };
    EXPECT_EQ(status(nested(63)), 200);
    EXPECT_EQ(status(nested(64)), 400);
    EXPECT_EQ(status(std::string(4 << 20, '[')), 400);
    std::string many = "{\"x\":[0";
    for (int i = 0; i < 300'000; ++i) many += ",0";
    EXPECT_EQ(status(many + "]," + small_request().dump().substr(1)), 400);
    for (const char* body :
         {"", " ", "null", "5", "\"x\"", "[]", "{", "}", "{\"a\"}", "{'a':1}", "{\"a\":1,}", "{} {}", "\xEF\xBB\xBF{", "\xFF\xFE{\0}\0"}) {
        EXPECT_EQ(status(body), 400) << body;
    }
    EXPECT_EQ(status("{\"messages\":[{\"role\":\"user\",\"content\":\"\xC3\x28\"}]}"), 400);
    EXPECT_EQ(status("{\"messages\":[{\"role\":\"user\",\"content\":\"\xED\xA0\x80\"}]}"), 400);
    EXPECT_EQ(status("{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}"), 400);
    EXPECT_EQ(status("{\"messages\":[{\"role\":\"user\",\"content\":\"\\u0000 and \\ud83d\\ude42\"}],\"max_tokens\":2}"), 200);
    EXPECT_EQ(testing::get(port(), "/health").status, 200);
}

TEST_F(FieldsTest, LoadingAsksForAModelThatIsThere) {
    const auto load = [](const std::string& body) { return testing::post(port(), "/api/models/load", body); };
    EXPECT_EQ(load("{}").status, 400);
    EXPECT_EQ(load(R"({"model":5})").status, 400);
    EXPECT_EQ(load(R"({"model":"nobody"})").status, 404);
    EXPECT_EQ(load(R"({"model":"/etc"})").status, 404);
    EXPECT_EQ(load("x").status, 400);
}

}  // namespace
}  // namespace hearth
