#include "perf/serve/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"

namespace hearth::perf {
namespace {

using ::testing::HasSubstr;

std::string refusal(const std::vector<std::string_view>& words) {
    try {
        parse_load_options(words);
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was refused";
}

TEST(LoadOptions, AreReadFromTheCommandLine) {
    const LoadOptions options =
        parse_load_options({"--rate", "2.5", "--seconds", "10", "--prompt-tokens", "5..9", "--answer-tokens", "4", "--turns", "3", "--url",
                            "http://localhost:9/base/", "--header", "X-A: b", "--ignore-eos"});
    EXPECT_EQ(options.rate, 2.5);
    EXPECT_EQ(options.seconds, 10);
    EXPECT_EQ(options.requests, kMostRequests) << "a bound all the same";
    EXPECT_EQ(options.prompt_words.low, 5);
    EXPECT_EQ(options.prompt_words.high, 9);
    EXPECT_EQ(options.answer_tokens.high, 4);
    EXPECT_EQ(options.url, "http://localhost:9/base");
    EXPECT_EQ(options.headers, std::vector<std::string>{"X-A: b"});
    EXPECT_TRUE(options.ignore_eos);
    EXPECT_EQ(describe_load(options), "chat, rate 2.5, 5..9 -> 4 tokens, 3 turns");
}

TEST(LoadOptions, RefuseARunWithoutAnEnd) {
    EXPECT_THAT(refusal({"--concurrency", "2"}), HasSubstr("--requests or --seconds"));
    EXPECT_THAT(refusal({"--rate", "2"}), HasSubstr("--requests or --seconds"));
    EXPECT_THAT(refusal({"--concurrency", "2", "--requests", "100001"}), HasSubstr("100000"));
    EXPECT_THAT(refusal({"--concurrency", "2", "--seconds", "inf"}), HasSubstr("--seconds"));
    EXPECT_THAT(refusal({"--concurrency", "2", "--seconds", "1e9"}), HasSubstr("86400"));
    EXPECT_THAT(refusal({"--concurrency", "1001", "--requests", "1"}), HasSubstr("1000"));
}

TEST(LoadOptions, RefuseWhatDoesNotFitTogether) {
    EXPECT_THAT(refusal({"--requests", "2"}), HasSubstr("one of --rate and --concurrency"));
    EXPECT_THAT(refusal({"--requests", "2", "--rate", "1", "--concurrency", "1"}), HasSubstr("one of --rate and --concurrency"));
    EXPECT_THAT(refusal({"--requests", "2", "--concurrency", "1", "--burstiness", "1"}), HasSubstr("--rate beside it"));
    EXPECT_THAT(refusal({"--requests", "2", "--concurrency", "1", "--prefix-groups", "2"}), HasSubstr("--shared-prefix"));
}

TEST(LoadOptions, NameTheOptionAndWhatWasFound) {
    const std::vector<std::pair<std::string_view, std::string_view>> bad = {{"--rate", "nan"},
                                                                            {"--rate", "0"},
                                                                            {"--rate", "-1"},
                                                                            {"--requests", "2x"},
                                                                            {"--requests", ""},
                                                                            {"--prompt-tokens", "0"},
                                                                            {"--prompt-tokens", "9..5"},
                                                                            {"--prompt-tokens", "5.."},
                                                                            {"--api", "soap"},
                                                                            {"--url", "127.0.0.1:80"},
                                                                            {"--url", "ftp://x"},
                                                                            {"--url", "http://"},
                                                                            {"--url", "http://a b"},
                                                                            {"--url", "http://u:p@h"},
                                                                            {"--header", "none"},
                                                                            {"--header", "A: b\r\nC: d"},
                                                                            {"--header", ": b"},
                                                                            {"--seed", "-1"},
                                                                            {"-o", "xml"},
                                                                            {"--key-env", "HEARTH_TEST_NO_SUCH"}};
    for (const auto& [option, value] : bad) EXPECT_THAT(refusal({option, value}), HasSubstr(std::string(option))) << value;
    EXPECT_THAT(refusal({"--what"}), HasSubstr("--what"));
    EXPECT_THAT(refusal({"--rate"}), HasSubstr("--rate"));
}

TEST(LoadOptions, TakeTheKeyFromTheEnvironment) {
    ::setenv("HEARTH_TEST_KEY", "secret", 1);
    EXPECT_EQ(parse_load_options({"--key-env", "HEARTH_TEST_KEY", "--rate", "1", "--requests", "1"}).key, "secret");
    ::setenv("HEARTH_TEST_KEY", "two\nlines", 1);
    EXPECT_THAT(refusal({"--key-env", "HEARTH_TEST_KEY"}), ::testing::Not(HasSubstr("two"))) << "a key stands in no message";
}

TEST(LoadOptions, HelpNamesEachOption) {
    for (const char* name : {"--url", "--rate", "--concurrency", "--requests", "--seconds", "--ttft-limit", "-o table|json"})
        EXPECT_THAT(load_help(), HasSubstr(name));
}

}  // namespace
}  // namespace hearth::perf
