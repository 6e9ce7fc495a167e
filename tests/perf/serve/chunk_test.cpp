#include "perf/serve/client/chunk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth::perf {
namespace {

using ::testing::HasSubstr;

Chunk chunk(std::string_view data, std::string_view name = "") { return read_chunk({name, data}); }

TEST(Chunk, AFirstChunkWithARoleAloneIsNoToken) {
    for (const char* delta :
         {R"({"role":"assistant"})", R"({"role":"assistant","content":""})", R"({"role":"assistant","content":null})", "{}", "null"}) {
        const Chunk read = chunk(std::string(R"({"choices":[{"index":0,"finish_reason":null,"delta":)") + delta + "}]}");
        EXPECT_FALSE(read.has_content) << delta;
        EXPECT_FALSE(read.finished) << delta;
    }
}

TEST(Chunk, TextThoughtsAndCallsAreTokens) {
    EXPECT_EQ(chunk(R"({"choices":[{"delta":{"content":"hi"}}]})").text, "hi");
    EXPECT_TRUE(chunk(R"({"choices":[{"delta":{"content":"hi"}}]})").has_content);
    const Chunk thought = chunk(R"({"choices":[{"delta":{"content":null,"reasoning_content":"hm"}}]})");
    EXPECT_TRUE(thought.has_content);
    EXPECT_EQ(thought.text, "") << "thoughts are not sent back";
    EXPECT_TRUE(chunk(R"({"choices":[{"delta":{"tool_calls":[{"index":0}]}}]})").has_content);
    EXPECT_EQ(chunk(R"({"choices":[{"index":0,"text":" once"}]})").text, " once") << "completions";
    EXPECT_FALSE(chunk(R"({"choices":[{"index":1,"delta":{"content":"other"}}]})").has_content) << "choice 0 alone";
}

TEST(Chunk, UsageIsReadBesideChoicesAndByItself) {
    const char* usage = R"("usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":8}})";
    for (const char* start : {R"({"choices":[],)", R"({"choices":[{"delta":{},"finish_reason":"stop"}],)", "{"}) {
        const Chunk read = chunk(std::string(start) + usage + "}");
        EXPECT_EQ(read.usage.prompt, 9) << start;
        EXPECT_EQ(read.usage.completion, 4) << start;
        EXPECT_EQ(read.usage.cached, 8) << start;
    }
    EXPECT_TRUE(chunk(R"({"choices":[{"delta":{},"finish_reason":"stop"}]})").finished);
    EXPECT_FALSE(chunk(R"({"choices":[],"usage":null})").usage.prompt);
    EXPECT_EQ(chunk(R"({"choices":[],"timings":{"cache_n":5}})").usage.cached, 5);
}

TEST(Chunk, ErrorsHaveTheirMessage) {
    EXPECT_EQ(chunk(R"({"error":{"message":"no memory","type":"server_error"}})").error, "no memory");
    EXPECT_EQ(chunk(R"({"error":"plain"})").error, "plain");
    EXPECT_EQ(chunk(R"({"code":500,"message":"of an older server"})", "error").error, "of an older server");
    EXPECT_FALSE(chunk(R"({"error":null,"choices":[]})").error);
    EXPECT_EQ(error_text(R"({"error":{"message":"busy"}})"), "busy");
    EXPECT_EQ(error_text("<html>\x01</html>\n"), "<html>\\x01</html>");
    EXPECT_LT(error_text(std::string(100000, 'x')).size(), 300u);
}

TEST(Chunk, RefusesWhatIsNotOne) {
    for (const char* data :
         {"", "{", "1", "[]", "nonsense", R"({"choices":{}})", R"({"choices":[1]})", R"({"choices":[{"delta":[]}]})",
          R"({"choices":[{"delta":{"content":7}}]})", R"({"choices":[{"index":-1}]})", R"({"usage":[]})",
          R"({"usage":{"completion_tokens":1e300}})", R"({"usage":{"completion_tokens":-1}})", R"({"usage":{"completion_tokens":1e999}})",
          R"({"usage":{"completion_tokens":"4"}})", R"({"usage":{"prompt_tokens":1,"prompt_tokens_details":3}})",
          "{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}"}) {
        EXPECT_THROW(chunk(data), Error) << data;
    }
    EXPECT_THROW(chunk(std::string(100000, '[')), Error) << "deep";
}

}  // namespace
}  // namespace hearth::perf
