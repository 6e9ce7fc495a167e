// What every subcommand has in common: help, options, exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

const std::vector<std::string>& subcommands() {
    static const std::vector<std::string> kAll = {"serve",      "chat",  "generate", "inspect", "tokenize",
                                                  "perplexity", "bench", "quantize", "devices"};
    return kAll;
}

TEST(CommandLine, SaysItsVersion) {
    const auto outcome = run_hearth({"--version"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, MatchesRegex("hearth [0-9]+\\.[0-9]+\\.[0-9]+ \\((unknown|[0-9a-f]+(-dirty)?)\\)\n"));
    EXPECT_EQ(outcome.err, "");
}

TEST(CommandLine, ListsSubcommandsAndExitCodes) {
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{}, {"--help"}, {"-h"}, {"help"}}) {
        const auto outcome = run_hearth(arguments);
        EXPECT_EQ(outcome.code, 0);
        for (const auto& name : subcommands()) EXPECT_THAT(outcome.out, HasSubstr("\n  " + name + " "));
        EXPECT_THAT(outcome.out, HasSubstr("Exit codes:"));
        EXPECT_THAT(outcome.out, HasSubstr("HEARTH_MODELS"));
        EXPECT_EQ(outcome.err, "");
    }
}

TEST(CommandLine, HelpsWithEachSubcommandByExamples) {
    for (const auto& name : subcommands()) {
        const auto outcome = run_hearth({name, "--help"});
        EXPECT_EQ(outcome.code, 0) << name;
        EXPECT_THAT(outcome.out, HasSubstr("Usage: hearth " + name));
        EXPECT_THAT(outcome.out, HasSubstr("Examples:\n  hearth " + name));
        EXPECT_EQ(outcome.out, run_hearth({"help", name}).out);
        EXPECT_EQ(outcome.err, "");
    }
}

TEST(CommandLine, KnowsWhichSubcommandWasMeant) {
    const auto outcome = run_hearth({"genrate"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr("Did you mean \"generate\"?"));
    EXPECT_THAT(run_hearth({"--verson"}).err, HasSubstr("no option \"--verson\""));
    EXPECT_THAT(run_hearth({"zzzzzz"}).err, HasSubstr("serve, chat, generate"));
    EXPECT_EQ(run_hearth({""}).code, 2);
    EXPECT_EQ(run_hearth({"help", "nothing"}).code, 2);
}

TEST(CommandLine, KnowsWhichOptionWasMeant) {
    for (const auto& name : subcommands()) {
        const auto outcome = run_hearth({name, "--hlep"});
        EXPECT_EQ(outcome.code, 2) << name;
        EXPECT_EQ(outcome.out, "");
        EXPECT_THAT(outcome.err, HasSubstr("there is no option \"--hlep\". Did you mean --help?")) << name;
        EXPECT_THAT(outcome.err, HasSubstr("hearth " + name + " --help"));
    }
}

TEST(CommandLine, SaysWhatANumberShouldHaveBeen) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
        {{"generate", "--top-k", "many"}, "--top-k: expected a whole number from 0 to 2147483647, found \"many\""},
        {{"generate", "--top-k", "010x"}, "found \"010x\""},
        {{"generate", "--top-k", ""}, "found \"\""},
        {{"generate", "--top-p", "1.5"}, "--top-p: expected a number from 0 to 1, found \"1.5\""},
        {{"generate", "--top-p", "nan"}, "--top-p: expected a number from 0 to 1, found \"nan\""},
        {{"generate", "--temperature", "-1"}, "--temperature: expected a number from 0 to 100, found \"-1\""},
        {{"generate", "--max-tokens", "0"}, "--max-tokens: expected a whole number from 1"},
        {{"generate", "--seed", "18446744073709551616"}, "--seed: expected a whole number from 0 to 2^64 - 1"},
        {{"generate", "--seed", "-1"}, "--seed: expected"},
        {{"generate", "--context", "99999999999999999999"}, "--context: expected"},
        {{"chat", "--threads", "1025"}, "--threads: expected a whole number from 1 to 1024, found \"1025\""},
        {{"chat", "--threads", "0"}, "--threads: expected a whole number from 1 to 1024, found \"0\""},
        {{"chat", "--order", "random"}, "--order: expected one of fixed, free, found \"random\""},
        {{"chat", "--chat-template", "nonsense"}, "chatml"},
        {{"serve", "--port", "65536"}, "--port: expected a whole number from 0 to 65535, found \"65536\""},
        {{"serve", "--port"}, "--port: expected a value behind it, found none"},
        {{"serve", "--memory", "8X"}, "--memory: expected an amount such as 8G, 8GiB, 500M or a number of bytes, found \"8X\""},
        {{"serve", "--memory", "0"}, "--memory: expected an amount"},
        {{"serve", "--memory", "99999999T"}, "--memory: expected an amount"},
        {{"generate", "--memory", "-1G"}, "--memory: expected an amount"},
        {{"chat", "--memory", "i"}, "--memory: expected an amount"},
        {{"serve", "--parallel", "0"}, "--parallel: expected a whole number from 1 to 256, found \"0\""},
        {{"chat", "--temperature"}, "--temperature: expected a value behind it, found none"},
        {{"chat", "-m", "a", "-m", "b"}, "--model: expected once, found 2 times"},
        {{"generate", "--model=", "hi"}, "--model: expected a name, found \"\""},
        {{"chat", "-m=", "hi"}, "--model: expected a name, found \"\""},
        {{"bench", "-m", ""}, "--model: expected values with commas between them, found \"\""},
        {{"bench", "-hf", "a/b"}, "there is no option \"-hf\""},
        {{"quantize", "", "--to", "q8", "-o", "/nonexistent/out"}, "MODEL: expected a folder or a name"},
        {{"chat", "--quiet=foo"}, "--quiet: expected no value, found \"foo\""},
        {{"chat", "--quiet=5"}, "--quiet: expected no value, found \"5\""},
        {{"perplexity", "--stride", "x"}, "--stride: expected"},
    };
    for (const auto& [arguments, message] : cases) {
        const auto outcome = run_hearth(arguments);
        EXPECT_EQ(outcome.code, 2) << arguments[1];
        EXPECT_EQ(outcome.out, "");
        EXPECT_THAT(outcome.err, HasSubstr(message));
    }
}

TEST(CommandLine, RefusesOptionsThatExcludeEachOther) {
    EXPECT_EQ(run_hearth({"tokenize", "--ids", "--decode", "1"}).code, 2);
    EXPECT_EQ(run_hearth({"perplexity", "a", "b"}).code, 2);
    EXPECT_EQ(run_hearth({"perplexity", "--context", "64", "--stride", "65", "/dev/null"}).code, 2);
}

TEST(CommandLine, EscapesWhatItRepeats) {
    const auto outcome = run_hearth({"generate", "--model", "evil\033[2Jname"});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, Not(HasSubstr("\033")));
    EXPECT_THAT(run_hearth({"evil\033[2J"}).err, Not(HasSubstr("\033")));
    EXPECT_THAT(run_hearth({"chat", "--evil\033[2J"}).err, Not(HasSubstr("\033")));
}

TEST(CommandLine, FailsWhenItsOutputCannotBeWritten) {
    const auto outcome = run_hearth({"--help"}, {.close_output_after = 0});
    EXPECT_EQ(outcome.code, 141);
    EXPECT_EQ(outcome.err, "");
}

TEST(CommandLine, ColoursOnlyTerminals) {
    Terminal plain({"devices"}, {{"NO_COLOR", "1"}}), coloured({"devices"}), dumb({"devices"}, {{"TERM", "dumb"}});
    EXPECT_EQ(plain.wait_for_end(), 0);
    EXPECT_EQ(coloured.wait_for_end(), 0);
    EXPECT_EQ(dumb.wait_for_end(), 0);
    EXPECT_THAT(plain.screen(), Not(HasSubstr("\033[")));
    EXPECT_THAT(dumb.screen(), Not(HasSubstr("\033[")));
    EXPECT_THAT(coloured.screen(), HasSubstr("\033[1mcpu\033[0m"));
    EXPECT_THAT(run_hearth({"devices"}).out, StartsWith("cpu  "));
}

}  // namespace
}  // namespace hearth::testing
