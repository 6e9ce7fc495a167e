#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "perf/serve/client/request_body.h"
#include "perf/serve/load/arrivals.h"
#include "perf/serve/load/prompt_file.h"
#include "perf/serve/load/prompts.h"
#include "perf/serve/report/spread.h"

namespace hearth::perf {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<double> times(double rate, double burstiness, uint64_t seed, int count) {
    Arrivals arrivals(rate, burstiness, seed);
    std::vector<double> out;
    for (int i = 0; i < count; ++i) out.push_back(arrivals.next());
    return out;
}

TEST(Arrivals, FollowFromTheSeedAlone) {
    EXPECT_EQ(times(4, 1, 7, 100), times(4, 1, 7, 100));
    EXPECT_NE(times(4, 1, 7, 100), times(4, 1, 8, 100));
    const auto slow = times(1, 1, 7, 100), fast = times(4, 1, 7, 100);
    for (size_t i = 0; i < slow.size(); ++i) EXPECT_NEAR(slow[i], 4 * fast[i], 1e-9 * slow[i]) << "a rate stretches one plan";
}

/// Means and deviations of 20,000 gaps that the seed fixes: a gamma distribution of shape b has mean 1 / rate and deviation mean / sqrt(b).
TEST(Arrivals, HaveTheRateAndTheBurstinessThatWereAskedFor) {
    for (const double burstiness : {0.25, 1.0, 9.0}) {
        constexpr int kCount = 20000;
        double before = 0, sum = 0, squares = 0;
        for (const double at : times(5, burstiness, 3, kCount)) {
            EXPECT_GE(at, before);
            sum += at - before, squares += (at - before) * (at - before);
            before = at;
        }
        const double mean = sum / kCount, deviation = std::sqrt(squares / kCount - mean * mean);
        EXPECT_NEAR(mean, 0.2, 0.2 * 0.05) << burstiness;
        EXPECT_NEAR(deviation / mean, 1 / std::sqrt(burstiness), 0.05 / std::sqrt(burstiness)) << burstiness;
    }
}

int64_t words_in(const std::string& text) { return 1 + std::ranges::count(text, ' ') + std::ranges::count(text, '\n'); }

TEST(Prompts, AreAFunctionOfSeedAndNumber) {
    LoadOptions options;
    options.prompt_words = {10, 20}, options.answer_tokens = {3, 5}, options.turns = 3;
    const Prompts prompts(options), again(options);
    std::set<int64_t> lengths, answers;
    std::set<std::string> texts;
    for (int64_t i = 0; i < 200; ++i) {
        const Conversation one = prompts.conversation(i), two = again.conversation(i);
        ASSERT_EQ(one.turns.size(), 3u);
        for (size_t turn = 0; turn < 3; ++turn) {
            EXPECT_EQ(one.turns[turn].at(0).text, two.turns[turn].at(0).text);
            EXPECT_EQ(one.answer_tokens[turn], two.answer_tokens[turn]);
            lengths.insert(words_in(one.turns[turn][0].text)), answers.insert(one.answer_tokens[turn]);
            texts.insert(one.turns[turn][0].text);
        }
    }
    EXPECT_EQ(texts.size(), 600u) << "no two alike";
    EXPECT_EQ(lengths, (std::set<int64_t>{10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}));
    EXPECT_EQ(answers, (std::set<int64_t>{3, 4, 5}));
    options.seed = 2;
    EXPECT_NE(Prompts(options).conversation(0).turns[0][0].text, prompts.conversation(0).turns[0][0].text);
}

TEST(Prompts, OfAGroupBeginAlike) {
    LoadOptions options;
    options.prompt_words = {5, 5}, options.shared_prefix = 30, options.prefix_groups = 2;
    const Prompts prompts(options);
    const auto prefix = [&](int64_t i) {
        const std::string text = prompts.conversation(i).turns[0][0].text;
        EXPECT_EQ(words_in(text), 35);
        return text.substr(0, text.find('\n'));
    };
    EXPECT_EQ(prefix(0), prefix(2));
    EXPECT_EQ(prefix(1), prefix(3));
    EXPECT_NE(prefix(0), prefix(1));
}

TEST(PromptFile, ReadsTextsPromptsAndMessages) {
    const auto lines = parse_prompts(
        "\"one\"\n\n{\"prompt\": \"two\"}\r\n"
        R"({"messages": [{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]})",
        "p.jsonl", 1);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0][0][0].text, "one");
    EXPECT_EQ(lines[1][0][0].text, "two");
    ASSERT_EQ(lines[2].size(), 1u) << "one turn";
    EXPECT_EQ(lines[2][0].size(), 4u) << "as it stands";
}

TEST(PromptFile, ReplaysTurnsWithoutTheAnswersOfTheFile) {
    const std::string text =
        R"({"messages": [{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},{"role":"user","content":"d"}]})";
    const auto turns = parse_prompts(text, "p.jsonl", 8).at(0);
    ASSERT_EQ(turns.size(), 3u);
    EXPECT_EQ(turns[0].size(), 2u) << "system and user";
    EXPECT_EQ(turns[1].at(0).text, "c");
    EXPECT_EQ(parse_prompts(text, "p.jsonl", 2).at(0).size(), 2u) << "no more turns than asked for";
}

TEST(PromptFile, RefusesNamingTheLine) {
    for (const char* line : {"{", "7", "{}", R"({"messages": []})", R"({"messages": [{"role":"user"}]})", R"({"prompt": 7})"}) {
        try {
            parse_prompts(std::string("\"fine\"\n") + line, "p.jsonl", 1);
            FAIL() << line;
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("p.jsonl:2")) << line;
        }
    }
    EXPECT_THROW(parse_prompts("\n\n", "p.jsonl", 1), Error);
    EXPECT_THROW(parse_prompts(R"({"messages": [{"role":"assistant","content":"b"}]})", "p.jsonl", 2), Error) << "nobody asks";
}

TEST(RequestBody, SendsWhatWasAskedForAndNothingElse) {
    LoadOptions options;
    const std::vector<Message> said = {{"user", "a"}, {"assistant", "b"}, {"user", "c"}};
    EXPECT_EQ(nlohmann::json::parse(request_body(options, said, 9)), nlohmann::json::parse(R"({"messages": [{"role":"user","content":"a"},
        {"role":"assistant","content":"b"},{"role":"user","content":"c"}], "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 9})"));
    options.api = Api::kCompletions, options.model = "m", options.temperature = 0, options.sampling_seed = 5, options.ignore_eos = true;
    options.ask_usage = false;
    EXPECT_EQ(nlohmann::json::parse(request_body(options, said, 9)),
              nlohmann::json::parse(
                  R"({"model":"m","prompt":"ab\nc","stream":true,"max_tokens":9,"temperature":0.0,"seed":5,"ignore_eos":true})"));
}

}  // namespace
}  // namespace hearth::perf
