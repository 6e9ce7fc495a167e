// perplexity --kl-base, and --profile of perplexity and generate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/temp_folder.h"
#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kText =
    "Hearth runs language models on this computer. It reads a folder from Hugging Face and answers. "
    "Once upon a time there was a small house by the sea, and in the house there lived a cat who liked to sit beside the fire. "
    "Every evening the cat asked the fire for a story, and the fire told one: of ships, of storms, and of the moon.";

class KlBase : public ::testing::Test {
protected:
    Outcome run(std::vector<std::string> more, const std::string& text = kText) const {
        std::vector<std::string> line = {"perplexity", "--no-limits", "--context", "64", "--kl-base", file_};
        line.insert(line.end(), more.begin(), more.end());
        return run_hearth(line, {.input = text});
    }
    json run_json(std::vector<std::string> more) const {
        more.insert(more.begin(), "--json");
        const auto outcome = run(more);
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        return json::parse(outcome.out, nullptr, false);
    }
    void expect_refused(const std::vector<std::string>& more, const std::vector<std::string>& words,
                        const std::string& text = kText) const {
        const auto outcome = run(more, text);
        EXPECT_EQ(outcome.code, 3);
        EXPECT_EQ(outcome.out, "");
        for (const auto& word : words) EXPECT_THAT(outcome.err, HasSubstr(word));
    }

    const TempFolder folder_;
    const std::string file_ = (folder_ / "base.kl").string();
};

TEST_F(KlBase, IsWrittenOnceAndThenComparedWith) {
    const auto first = run({});
    EXPECT_EQ(first.code, 0) << first.err;
    EXPECT_THAT(first.err, HasSubstr("writing "));
    EXPECT_THAT(first.out, AllOf(HasSubstr("written to "), Not(HasSubstr("divergence"))));
    ASSERT_TRUE(fs::exists(file_));
    const auto size = fs::file_size(file_);
    const auto second = run({});
    EXPECT_EQ(second.code, 0) << second.err;
    EXPECT_THAT(second.err, HasSubstr("comparing with "));
    EXPECT_THAT(second.out, AllOf(HasSubstr("read: ember, "), HasSubstr("divergence "), HasSubstr("same top    100.00 ")));
    EXPECT_EQ(fs::file_size(file_), size);
}

TEST_F(KlBase, FindsAModelNoDistanceFromItselfAndAQuantisedOneSome) {
    const json written = run_json({});
    EXPECT_EQ(written["kl_base"]["action"], "written");
    const json same = run_json({});
    EXPECT_EQ(same["kl_base"]["action"], "compared");
    EXPECT_EQ(same["kl_base"]["tokens"], written["scored_tokens"]);
    EXPECT_EQ(same["kl_base"]["same_top"], 1.0);
    EXPECT_EQ(same["kl_base"]["mean_nll_change"], 0.0);
    EXPECT_NEAR(same["kl_base"]["mean_divergence"].get<double>(), 0, 1e-6);
    EXPECT_NEAR(same["kl_base"]["largest_divergence"].get<double>(), 0, 1e-5);
    EXPECT_EQ(same["mean_nll"], written["mean_nll"]);
    const json q8 = run_json({"--quant", "q8"})["kl_base"], q4_run = run_json({"--quant", "q4"}), q4 = q4_run["kl_base"];
    EXPECT_GT(q8["mean_divergence"].get<double>(), 1e-5);
    EXPECT_LT(q8["mean_divergence"].get<double>(), 0.02);
    EXPECT_GT(q4["mean_divergence"].get<double>(), 3 * q8["mean_divergence"].get<double>());
    EXPECT_LE(q4["median_divergence"].get<double>(), q4["p90_divergence"].get<double>());
    EXPECT_LE(q4["p90_divergence"].get<double>(), q4["p99_divergence"].get<double>());
    EXPECT_LE(q4["p99_divergence"].get<double>(), q4["largest_divergence"].get<double>());
    EXPECT_NEAR(q4["base_perplexity"].get<double>(), written["perplexity"].get<double>(), 1e-4 * written["perplexity"].get<double>());
    EXPECT_NEAR(q4["mean_nll_change"].get<double>(), q4_run["mean_nll"].get<double>() - written["mean_nll"].get<double>(), 1e-6);
}

TEST_F(KlBase, OfAnotherTextOrOtherWindowsIsRefused) {
    ASSERT_EQ(run({}).code, 0);
    expect_refused({"--stride", "16"}, {"base.kl", "--stride 32", "16"});
    EXPECT_THAT(run_hearth({"perplexity", "--no-limits", "--context", "32", "--kl-base", file_}, {.input = kText}).err,
                AllOf(HasSubstr("--context 64"), HasSubstr("32")));
    expect_refused({"--tokens", "40"}, {"base.kl", "40"});
    std::string other = kText;
    other[0] = 'D';
    EXPECT_EQ(run({}, other).code, 3);
}

TEST_F(KlBase, ThatIsCutShortOrNoneIsRefused) {
    ASSERT_EQ(run({}).code, 0);
    const auto size = fs::file_size(file_);
    fs::resize_file(file_, size - 1);
    expect_refused({}, {"base.kl", std::to_string(size), std::to_string(size - 1)});
    std::ofstream(file_) << "# Notes\n" << kText;
    expect_refused({}, {"base.kl", "# Notes"});
    EXPECT_TRUE(fs::exists(file_));  // what was not ours is still there
}

TEST_F(KlBase, CannotBeWrittenWhereThereIsNoFolder) {
    const auto outcome = run_hearth({"perplexity", "--no-limits", "--kl-base", (folder_ / "none/base.kl").string()}, {.input = kText});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, HasSubstr("none/base.kl"));
}

TEST(PerplexityTokens, AreTheFirstOnesOfTheText) {
    const auto tokens = [](const std::string& limit, const std::vector<std::string>& more = {}) {
        std::vector<std::string> line = {"perplexity", "--no-limits", "--json", "--tokens", limit};
        line.insert(line.end(), more.begin(), more.end());
        const auto outcome = run_hearth(line, {.input = kText});
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        return json::parse(outcome.out, nullptr, false)["scored_tokens"].get<int>();
    };
    EXPECT_EQ(tokens("2"), 1);
    EXPECT_EQ(tokens("70", {"--context", "32", "--stride", "32"}), 31 + 31 + 5);
    EXPECT_EQ(tokens("70", {"--context", "32", "--stride", "32", "--skip", "20"}), 12 + 12);
    EXPECT_EQ(tokens("70", {"--context", "32", "--stride", "16", "--skip", "20"}), 12 + 12 + 12 + 2);  // windows end at 32, 48, 64, 70
    EXPECT_EQ(tokens("70", {"--context", "32", "--stride", "16", "--skip", "10"}), 22 + 16 + 16 + 6);
    EXPECT_EQ(run_hearth({"perplexity", "--context", "32", "--skip", "32"}, {.input = kText}).code, 2);
    EXPECT_EQ(run_hearth({"perplexity", "--tokens", "20", "--context", "32", "--skip", "31"}, {.input = kText}).code, 3);
    EXPECT_EQ(tokens("50"), 49);
    EXPECT_GT(tokens("100000"), 49);
    EXPECT_EQ(run_hearth({"perplexity", "--tokens", "1"}, {.input = kText}).code, 2);
}

TEST(PerplexitySpecial, ReadsSpecialTokensInTheText) {
    const std::string chat = "<s><|user|>\nHello!<|end|>\n<|assistant|>\nHello! How can I help you?<|end|>\n";
    const auto run = [&](const std::vector<std::string>& more) {
        std::vector<std::string> line = {"perplexity", "--no-limits", "--json"};
        line.insert(line.end(), more.begin(), more.end());
        const auto outcome = run_hearth(line, {.input = chat});
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        return json::parse(outcome.out, nullptr, false);
    };
    const json plain = run({}), special = run({"--special"});
    EXPECT_LT(special["scored_tokens"].get<int>(), plain["scored_tokens"].get<int>());
    EXPECT_LT(special["perplexity"].get<double>(), 0.1 * plain["perplexity"].get<double>());  // a conversation as Ember knows them
}

TEST(ProfileOption, PrintsATableOfStagesToStandardError) {
    const auto perplexity = run_hearth({"perplexity", "--no-limits", "--profile", "-q"}, {.input = kText});
    EXPECT_EQ(perplexity.code, 0) << perplexity.err;
    EXPECT_THAT(perplexity.out, Not(HasSubstr("| stage")));
    EXPECT_THAT(perplexity.err,
                AllOf(HasSubstr("| stage | calls |"), HasSubstr("| qkv/"), HasSubstr("| attention/"), HasSubstr("| head/")));
    const auto generate = run_hearth({"generate", "--prompt", "Once upon a time", "-n", "5", "--temperature", "0", "--profile", "-q"});
    EXPECT_EQ(generate.code, 0) << generate.err;
    EXPECT_THAT(generate.out, Not(HasSubstr("| stage")));
    EXPECT_THAT(generate.err, AllOf(HasSubstr("| qkv/"), ContainsRegex("head/[a-z]+ . 5 "), HasSubstr("| sample | 5 |")));
    EXPECT_EQ(run_hearth({"generate", "--prompt", "Once upon a time", "-n", "5", "--temperature", "0", "-q"}).out, generate.out);
    EXPECT_THAT(run_hearth({"generate", "--prompt", "Once upon a time", "-n", "5", "-q"}).err, Not(HasSubstr("| stage")));
}

}  // namespace
}  // namespace hearth::testing
