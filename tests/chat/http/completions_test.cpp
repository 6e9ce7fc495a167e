// POST /v1/chat/completions with Ember.
#include <set>
#include <thread>

#include "base/text.h"
#include "base/utf8.h"
#include "tests/chat/http/running_server.h"
#include "tests/support/wait_until.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::events_of;
using testing::small_request;

constexpr const char* kChat = "/v1/chat/completions";

class CompletionsTest : public testing::ServerTest {
protected:
    static std::string text_of(const testing::Reply& reply) { return json::parse(reply.body).at("choices")[0].at("message").at("content"); }

    static std::string streamed_text(const testing::Reply& reply) {
        std::string out;
        for (const std::string& event : events_of(reply.body)) {
            if (event == "[DONE]") break;
            const auto chunk = json::parse(event);
            if (!chunk.at("choices").empty()) out += chunk["choices"][0].at("delta").value("content", "");
        }
        return out;
    }

    /// A request whose answer goes on until the context is full.
    static json endless_request() {
        json request = small_request("Tell me a story");
        request.erase("max_tokens");
        request["ignore_eos"] = true;
        request["stream"] = true;
        return request;
    }
};

TEST_F(CompletionsTest, AnswersAsAWhole) {
    const auto reply = chat(small_request());
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.headers.at("content-type"), "application/json");
    const auto body = json::parse(reply.body);
    EXPECT_EQ(body.at("object"), "chat.completion");
    EXPECT_EQ(body.at("model"), "ember");
    EXPECT_TRUE(body.at("id").get<std::string>().starts_with("chatcmpl-"));
    ASSERT_EQ(body.at("choices").size(), 1u);
    const auto& choice = body["choices"][0];
    EXPECT_EQ(choice.at("index"), 0);
    EXPECT_EQ(choice.at("message").at("role"), "assistant");
    EXPECT_NE(choice.at("message").at("content"), "");
    const auto& usage = body.at("usage");
    EXPECT_EQ(usage.at("total_tokens").get<int>(), usage.at("prompt_tokens").get<int>() + usage.at("completion_tokens").get<int>());
    EXPECT_GT(usage.at("prompt_tokens"), 4);
    EXPECT_GT(body.at("timings").at("prompt_n"), 4);
}

TEST_F(CompletionsTest, StreamsWhatItWouldAnswerAsAWhole) {
    json request = small_request("What is Hearth?");
    request["max_tokens"] = 60;
    const std::string whole = text_of(chat(request));
    request["stream"] = true;
    const auto reply = chat(request);
    ASSERT_EQ(reply.status, 200);
    EXPECT_TRUE(reply.whole);
    EXPECT_EQ(streamed_text(reply), whole);
    EXPECT_GT(events_of(reply.body).size(), 5u);
}

TEST_F(CompletionsTest, StreamsInTheFormThatClientsExpect) {
    json request = small_request("What is Hearth?");
    request["stream"] = true;
    request["stream_options"] = {{"include_usage", true}};
    const auto reply = chat(request);
    EXPECT_EQ(reply.headers.at("content-type"), "text/event-stream");
    EXPECT_EQ(reply.headers.at("cache-control"), "no-cache");
    const auto events = events_of(reply.body);
    ASSERT_GE(events.size(), 5u);
    EXPECT_EQ(events.back(), "[DONE]");
    const auto first = json::parse(events[0]);
    EXPECT_EQ(first.at("choices")[0].at("delta"), (json{{"role", "assistant"}, {"content", ""}}));
    std::set<std::string> ids, times;
    for (size_t i = 0; i + 1 < events.size(); ++i) {
        const auto chunk = json::parse(events[i]);
        ids.insert(chunk.at("id"));
        times.insert(chunk.at("created").dump());
        EXPECT_EQ(chunk.at("object"), "chat.completion.chunk");
        EXPECT_EQ(chunk.at("model"), "ember");
        const bool is_last = i + 3 == events.size(), is_usage = i + 2 == events.size();
        EXPECT_EQ(chunk.contains("usage"), is_usage) << i;
        if (is_usage) {
            EXPECT_TRUE(chunk.at("choices").is_array() && chunk["choices"].empty());
            EXPECT_TRUE(chunk.at("usage").at("prompt_tokens_details").at("cached_tokens").is_number_integer());
            continue;
        }
        EXPECT_EQ(chunk.at("choices")[0].at("index"), 0);
        EXPECT_EQ(chunk["choices"][0].at("finish_reason").is_null(), !is_last) << i;
        if (is_last) {
            EXPECT_EQ(chunk["choices"][0].at("delta"), json::object());
            EXPECT_TRUE(chunk.contains("timings"));
        }
    }
    EXPECT_EQ(ids.size(), 1u);
    EXPECT_EQ(times.size(), 1u);
    // Every event ends with an empty line, and there is nothing else.
    EXPECT_TRUE(reply.body.starts_with("data: ") && reply.body.ends_with("data: [DONE]\n\n"));
}

TEST_F(CompletionsTest, LeavesOutUsageWhenNobodyAsked) {
    json request = small_request();
    request["stream"] = true;
    for (const std::string& event : events_of(chat(request).body)) EXPECT_EQ(event.find("\"usage\""), std::string::npos);
}

TEST_F(CompletionsTest, SpeaksHttp10WithoutChunks) {
    json request = small_request();
    request["stream"] = true;
    std::string text = testing::request_text(port(), "POST", kChat, request.dump());
    text.replace(text.find("HTTP/1.1"), 8, "HTTP/1.0");
    testing::Client client(port());
    client.send(text);
    const std::string reply = client.until("[DONE]\n\n");
    EXPECT_EQ(reply.find("chunked"), std::string::npos);
    EXPECT_TRUE(reply.ends_with("data: [DONE]\n\n")) << reply.substr(0, 300);
    EXPECT_TRUE(client.ended());
}

TEST_F(CompletionsTest, SaysWhyAnAnswerEnded) {
    json request = small_request("Tell me a story");
    request["max_tokens"] = 3;
    auto body = json::parse(chat(request).body);
    EXPECT_EQ(body.at("choices")[0].at("finish_reason"), "length");
    EXPECT_EQ(body.at("usage").at("completion_tokens"), 3);
    EXPECT_EQ(body.at("context_full"), false);
    request["max_tokens"] = 1000;
    body = json::parse(chat(request).body);
    EXPECT_EQ(body.at("choices")[0].at("finish_reason"), "stop");
    request["max_completion_tokens"] = 2;
    EXPECT_EQ(json::parse(chat(request).body).at("usage").at("completion_tokens"), 2);
}

TEST_F(CompletionsTest, EndsWithTheContextAndSaysSo) {
    const auto server = testing::start_server("", 128);
    json request = endless_request();
    request["stream"] = false;
    const auto body = json::parse(testing::post(server->port(), kChat, request.dump()).body);
    EXPECT_EQ(body.at("choices")[0].at("finish_reason"), "length");
    EXPECT_EQ(body.at("context_full"), true);
    EXPECT_EQ(body.at("usage").at("total_tokens"), 128);
}

TEST_F(CompletionsTest, NeverCutsAPromptThatDoesNotFit) {
    std::string text;
    for (int i = 0; i < 3000; ++i) text += "word ";
    for (const bool stream : {false, true}) {
        json request = small_request(text);
        request["stream"] = stream;
        const auto reply = chat(request);
        EXPECT_EQ(reply.status, 400);
        const auto error = testing::error_of(reply);
        EXPECT_EQ(error.at("code"), "context_length_exceeded");
        const std::string message = error.at("message");
        EXPECT_NE(message.find("maximum context length is 1024 tokens"), std::string::npos) << message;
        EXPECT_NE(message.find("have 3"), std::string::npos) << message;  // three thousand and some
    }
}

TEST_F(CompletionsTest, StopsAtATextAndLeavesItOut) {
    json request = small_request("What is Hearth?");
    request["max_tokens"] = 60;
    const std::string whole = text_of(chat(request));
    ASSERT_GT(whole.size(), 30u);
    const std::string stop = whole.substr(15, 9);  // reaches over several tokens
    const std::string want = whole.substr(0, whole.find(stop));
    for (const json& value : {json(stop), json::array({"never said", stop})}) {
        request["stop"] = value;
        request["stream"] = false;
        const auto reply = chat(request);
        EXPECT_EQ(text_of(reply), want);
        EXPECT_EQ(json::parse(reply.body).at("choices")[0].at("finish_reason"), "stop");
        request["stream"] = true;
        EXPECT_EQ(streamed_text(chat(request)), want);
    }
    request["stop"] = whole + "and more";  // begins like the answer and never comes: nothing may be lost
    EXPECT_EQ(streamed_text(chat(request)), whole);
}

TEST_F(CompletionsTest, CountsTheTokensUpToTheStopTextWhateverTheEngineDidMeanwhile) {
    json request = small_request("What is Hearth?");
    const std::string stop = " models";
    int wanted = 0;  // tokens that it takes to say the stop string
    for (std::string said; said.find(stop) == std::string::npos;) {
        request["max_tokens"] = ++wanted;
        ASSERT_LT(wanted, 60) << said;
        said = json::parse(chat(request).body).at("choices")[0].at("message").at("content");
    }
    request["max_tokens"] = 64;
    request["stop"] = stop;
    for (int i = 0; i < 12; ++i) {
        const json body = json::parse(chat(request).body);
        EXPECT_EQ(body.at("usage").at("completion_tokens"), wanted) << i;
        EXPECT_EQ(body.at("timings").at("predicted_n"), wanted) << i;
        EXPECT_EQ(body.at("choices")[0].at("finish_reason"), "stop");
        EXPECT_EQ(body.at("context_full"), false);
    }
    request["stream"] = true;
    request["stream_options"] = {{"include_usage", true}};
    for (int i = 0; i < 6; ++i) {
        const auto events = events_of(chat(request).body);
        EXPECT_EQ(json::parse(events[events.size() - 3]).at("timings").at("predicted_n"), wanted) << i;
        EXPECT_EQ(json::parse(events[events.size() - 2]).at("usage").at("completion_tokens"), wanted) << i;
    }
}

TEST_F(CompletionsTest, AnEndTokenIsNoTokenOfTheAnswer) {
    json request = small_request("What is Hearth?");
    request["max_tokens"] = 500;
    const json whole = json::parse(chat(request).body);
    ASSERT_EQ(whole.at("choices")[0].at("finish_reason"), "stop");
    const int said = whole.at("usage").at("completion_tokens");
    request["max_tokens"] = said;  // ends before the end token is drawn, with the same text
    const json cut = json::parse(chat(request).body);
    EXPECT_EQ(cut.at("choices")[0].at("message"), whole.at("choices")[0].at("message"));
    EXPECT_EQ(cut.at("choices")[0].at("finish_reason"), "length");
    EXPECT_EQ(cut.at("usage").at("completion_tokens"), said);
}

TEST_F(CompletionsTest, GivesTheSameAnswerForTheSameSeed) {
    json request = small_request("Tell me a story");
    request["temperature"] = 1.5;
    request["max_tokens"] = 30;
    request["seed"] = 42;
    const std::string first = text_of(chat(request));
    EXPECT_EQ(text_of(chat(request)), first);
    request["seed"] = -42;
    EXPECT_NE(text_of(chat(request)), first);
}

TEST_F(CompletionsTest, TextIsAlwaysUtf8) {
    json request = small_request("Grüße, 你好 🙂");
    request["temperature"] = 2;
    request["max_tokens"] = 100;
    request["ignore_eos"] = true;
    request["stream"] = true;
    for (int seed = 0; seed < 3; ++seed) {
        request["seed"] = seed;
        for (const std::string& event : events_of(chat(request).body)) EXPECT_TRUE(is_utf8(event));
    }
}

TEST_F(CompletionsTest, TakesPartsAndDevelopersAndEmptyAnswers) {
    json request = small_request();
    request["messages"] = json::array(
        {{{"role", "developer"}, {"content", "Be brief."}},
         {{"role", "user"}, {"content", json::array({{{"type", "text"}, {"text", "Hel"}}, {{"type", "text"}, {"text", "lo"}}})}},
         {{"role", "assistant"}, {"content", nullptr}},
         {{"role", "user"}, {"content", "Again"}}});
    const auto parts = chat(request);
    request["messages"][0]["role"] = "system";
    request["messages"][1]["content"] = "Hello";
    request["messages"][2]["content"] = "";
    EXPECT_EQ(text_of(parts), text_of(chat(request)));
}

TEST_F(CompletionsTest, UnknownModelsAreNotFoundAndTheListIsGiven) {
    json request = small_request();
    for (const char* name : {"gpt-4", "../ember", "/etc", "Ember", ""}) {
        request["model"] = name;
        const auto reply = chat(request);
        if (*name == 0) {
            EXPECT_EQ(reply.status, 200);  // any model will do
            continue;
        }
        EXPECT_EQ(reply.status, 404) << name;
        const auto error = testing::error_of(reply);
        EXPECT_EQ(error.at("code"), "model_not_found");
        EXPECT_NE(error.at("message").get<std::string>().find("ember, broken, org/pair, twin"), std::string::npos) << error;
    }
}

TEST_F(CompletionsTest, AClientThatLeavesEndsItsAnswer) {
    ASSERT_TRUE(wait_for_state("ember", "ready"));
    const auto health = [] { return json::parse(testing::get(port(), "/health").body); };
    constexpr int kClients = 24;  // more than the engine runs at once: some leave while they wait
    for (const bool stream : {true, false}) {
        json request = endless_request();
        request["stream"] = stream;
        const int64_t cancelled_before = health().at("cancelled");
        std::vector<std::unique_ptr<testing::Client>> clients;
        for (int i = 0; i < kClients; ++i) {
            clients.push_back(std::make_unique<testing::Client>(port()));
            clients.back()->send(testing::request_text(port(), "POST", kChat, request.dump()));
        }
        testing::wait_until([&] { return health().at("running") > 0 && health().at("waiting") > 0; });
        clients.clear();
        testing::wait_until([&] { return health().at("running") == 0 && health().at("waiting") == 0; });
        // At the least whoever waited when the clients left: they would have come to the end of the context otherwise.
        EXPECT_GT(health().at("cancelled"), cancelled_before) << (stream ? "streaming" : "whole");
    }
    EXPECT_EQ(chat(small_request()).status, 200);
}

TEST_F(CompletionsTest, ModelsAreListedInAMomentWhileTheEngineWorks) {
    std::vector<std::unique_ptr<testing::Client>> busy;
    for (int i = 0; i < 8; ++i) {
        busy.push_back(std::make_unique<testing::Client>(port()));
        busy.back()->send(testing::request_text(port(), "POST", kChat, endless_request().dump()));
    }
    busy[0]->until("\"content\"");
    EXPECT_EQ(testing::get(port(), "/v1/models").status, 200);
    for (auto& client : busy) EXPECT_FALSE(client->until("data: ").empty());  // they still run: the list did not wait for them
}

TEST_F(CompletionsTest, AnswersManyAtOnceEachWithItsOwn) {
    std::vector<std::string> alone, together(6);
    const auto request = [](size_t i) {
        json out = small_request(cat("What is ", i, " + ", i, "?"));
        out["max_tokens"] = 20;
        return out;
    };
    for (size_t i = 0; i < together.size(); ++i) alone.push_back(text_of(chat(request(i))));
    std::vector<std::thread> threads;
    for (size_t i = 0; i < together.size(); ++i) threads.emplace_back([&, i] { together[i] = text_of(chat(request(i))); });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(together, alone);
}

}  // namespace
}  // namespace hearth
