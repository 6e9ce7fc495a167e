#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

json ember_golden() {
    std::ifstream file(std::string(HEARTH_SOURCE_DIR) + "/tools/ember/golden.json");
    return json::parse(file);
}

json generate(std::vector<std::string> arguments, const RunOptions& options = {}) {
    arguments.insert(arguments.begin(), {"generate", "--json"});
    const auto outcome = run_hearth(arguments, options);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out, nullptr, false);
}

TEST(Generate, AnswersAsTransformersDoes) {
    int compared = 0;
    const json golden = ember_golden();
    for (const auto& chat : golden["chats"]) {
        const auto& messages = chat["messages"];
        std::vector<std::string> arguments = {"--chat", "--temperature", "0", "--prompt", messages.back()["content"]};
        if (messages.size() == 2 && messages[0]["role"] == "system")
            arguments.insert(arguments.end(), {"--system", messages[0]["content"]});
        if (messages.size() > 2) continue;
        const std::vector<int32_t> wanted = chat["greedy"];
        const std::vector<double> gaps = chat["gaps"];
        size_t certain = wanted.size() - 1;  // the last is the end token
        for (size_t i = 0; i < certain; ++i) {
            if (gaps[i] < 0.15) certain = i;  // two tokens so near that bf16 may choose the other
        }
        const json answer = generate(arguments);
        const std::vector<int32_t> ids = answer["ids"];
        ASSERT_GE(ids.size(), certain) << chat["text"];
        EXPECT_TRUE(std::equal(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(certain), ids.begin()))
            << answer["text"] << " / " << chat["text"];
        if (certain == wanted.size() - 1) {
            EXPECT_EQ(answer["text"], chat["text"]);
            EXPECT_EQ(answer["finish_reason"], "stop");
            EXPECT_EQ(answer["usage"]["prompt_tokens"], chat["ids"].size());
            ++compared;
        }
    }
    EXPECT_GE(compared, 5);
}

TEST(Generate, ADraftChangesNoAnswer) {
    const std::string draft = std::string(HEARTH_SOURCE_DIR) + "/tools/ember";
    const std::vector<std::string> arguments = {"--chat", "--temperature", "0", "-n", "40", "--prompt", "What is Hearth?"};
    auto drafted = arguments;
    drafted.insert(drafted.end(), {"--draft", draft});
    EXPECT_EQ(generate(drafted)["ids"], generate(arguments)["ids"]);
}

TEST(Generate, TakesNoMoreMemoryThanItIsGiven) {
    const auto outcome = run_hearth({"generate", "--memory", "1M", "--prompt", "Hi"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("there are 1.00 MB to use"));
}

TEST(Generate, GivesTheSameAnswerForTheSameSeed) {
    const std::vector<std::string> line = {"--prompt", "Once upon a time", "--temperature", "1", "--max-tokens", "24", "--seed"};
    const auto with_seed = [&](const std::string& seed, const std::string& threads) {
        auto arguments = line;
        arguments.insert(arguments.end(), {seed, "--threads", threads});
        return generate(arguments)["text"];
    };
    const auto first = with_seed("7", "1");
    EXPECT_EQ(first, with_seed("7", "1"));
    EXPECT_EQ(first, with_seed("7", "2"));
    EXPECT_NE(first, with_seed("8", "1"));
    EXPECT_NE(first, with_seed("18446744073709551615", "1"));
}

TEST(Generate, ReadsThePromptFromStandardInput) {
    const std::vector<std::string> line = {"--temperature", "0", "--max-tokens", "12"};
    auto with_option = line;
    with_option.insert(with_option.end(), {"--prompt", "The cat sat"});
    const json expected = generate(with_option);
    EXPECT_EQ(generate(line, {.input = "The cat sat"})["ids"], expected["ids"]);
    EXPECT_EQ(generate(line, {.input = "The cat sat\n"})["ids"], expected["ids"]);
    EXPECT_EQ(generate(line, {.input = "The cat sat\n\n"})["usage"]["prompt_tokens"], expected["usage"]["prompt_tokens"].get<int>() + 1);
}

TEST(Generate, WritesOneJsonObjectWithWhatItTook) {
    const json answer = generate({"--prompt", "Hello", "--max-tokens", "5", "--seed", "3"});
    for (const auto* field : {"text", "ids", "finish_reason", "usage", "timings", "seed", "model"})
        EXPECT_TRUE(answer.contains(field)) << field;
    EXPECT_EQ(answer["seed"], 3);
    EXPECT_EQ(answer["usage"]["completion_tokens"], answer["ids"].size());
    EXPECT_EQ(answer["usage"]["total_tokens"], answer["usage"]["prompt_tokens"].get<int>() + answer["ids"].get<std::vector<int>>().size());
    EXPECT_GT(answer["timings"]["prefill_ms"], 0);
}

TEST(Generate, StreamsTheSameTextThatJsonHolds) {
    const std::vector<std::string> line = {"generate", "--chat", "--prompt", "What is Hearth?", "--temperature", "0"};
    const auto outcome = run_hearth(line);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, generate({line.begin() + 1, line.end()})["text"].get<std::string>() + "\n");
    EXPECT_THAT(outcome.err, HasSubstr("tokens/s"));
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("\033")));
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("\r")));
    auto quiet = line;
    quiet.push_back("--quiet");
    EXPECT_EQ(run_hearth(quiet).err, "");
}

TEST(Generate, EndsWithLengthWhenTheContextIsFull) {
    const std::vector<std::string> line = {"generate",      "--prompt", "one two three four", "--context", "8",
                                           "--temperature", "0"};  // before it would stop by itself
    const auto outcome = run_hearth(line);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.err, HasSubstr("length: the context of 8 tokens is full"));
    const json answer = generate({line.begin() + 1, line.end()});
    EXPECT_EQ(answer["finish_reason"], "length");
    EXPECT_EQ(answer["context_full"], true);
    EXPECT_LE(answer["usage"]["total_tokens"], 9);  // the last token need not fit: nothing follows it
    EXPECT_GE(answer["usage"]["total_tokens"], 8);
}

TEST(Generate, SaysWhenMaxTokensEndedIt) {
    const auto outcome = run_hearth({"generate", "--prompt", "Once upon a time", "--max-tokens", "3"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.err, HasSubstr("length: --max-tokens reached"));
    EXPECT_THAT(outcome.err, Not(HasSubstr("context of 1,024 tokens is full")));
}

TEST(Generate, StopsQuietlyWhenItsReaderGoes) {
    // Noise until the context is full: at a temperature of 1 an answer may have ended before its reader has gone.
    const auto outcome =
        run_hearth({"generate", "--prompt", "Once upon a time", "--temperature", "100", "--top-p", "1", "--seed", "1", "--quiet"},
                   {.close_output_after = 1});
    EXPECT_EQ(outcome.code, 141);
    EXPECT_EQ(outcome.err, "");
}

TEST(Generate, StopsOnCtrlCWith130) {
    const auto outcome = run_hearth(
        {"generate", "--prompt", "Once upon a time", "--device", "reference", "--temperature", "100", "--top-p", "1", "--seed", "1"},
        {.signal_after_output = SIGINT});
    EXPECT_EQ(outcome.code, 130);
    EXPECT_EQ(outcome.out.back(), '\n');
}

TEST(Generate, TakesTextThatLooksLikeASpecialTokenAsText) {
    const json plain = generate({"--chat", "--prompt", "<|end|><|system|>", "--max-tokens", "1"});
    const json none = generate({"--chat", "--prompt", "", "--max-tokens", "1"});
    EXPECT_GT(plain["usage"]["prompt_tokens"].get<int>(), none["usage"]["prompt_tokens"].get<int>() + 2);
}

TEST(Generate, TakesThePromptWithoutAnOption) {
    const std::vector<std::string> settings = {"--temperature", "0", "-n", "8", "-q"};
    const auto run = [&](std::vector<std::string> arguments, const std::string& input = "") {
        arguments.insert(arguments.begin(), "generate");
        arguments.insert(arguments.end(), settings.begin(), settings.end());
        const auto outcome = run_hearth(arguments, {.input = input});
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        return outcome.out;
    };
    const std::string expected = run({"--prompt", "Once upon a time"});
    EXPECT_FALSE(expected.empty());
    EXPECT_EQ(run({"Once upon a time"}), expected);
    EXPECT_EQ(run({"Once", "upon", "a", "time"}), expected);
    EXPECT_EQ(run({}, "Once upon a time\n"), expected);
    const auto both = run_hearth({"generate", "Once", "--prompt", "Once"});
    EXPECT_EQ(both.code, 2);
    EXPECT_NE(both.err.find("--prompt"), std::string::npos) << both.err;
}

TEST(Generate, RefusesAModelWithoutAName) {
    for (const char* command : {"generate", "chat", "tokenize", "inspect"}) {
        const auto outcome = run_hearth({command, "--model", ""});
        EXPECT_EQ(outcome.code, 2) << command;
        EXPECT_NE(outcome.err.find("--model: expected a name"), std::string::npos) << outcome.err;
    }
}

}  // namespace
}  // namespace hearth::testing
