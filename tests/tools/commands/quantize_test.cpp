// quantize, and --quant of the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/shared.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class QuantizeProgram : public ::testing::Test {
protected:
    const std::string ember_ = (fs::path(HEARTH_SOURCE_DIR) / "tools" / "ember").string();
    const TempFolder folder_;
};

TEST_F(QuantizeProgram, WritesAModelThatAnswersAsOneQuantisedAtLoad) {
    const std::string out = (folder_ / "ember-q4").string();
    const auto outcome = run_hearth({"quantize", ember_, "--to", "q4", "--keep", "layers.0=q8", "--out", out});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, ContainsRegex("down_proj +q8 +1 "));
    EXPECT_THAT(outcome.out, ContainsRegex("down_proj +q4 +5 "));
    EXPECT_THAT(outcome.out, ContainsRegex("embed_tokens +q8 +1 "));
    EXPECT_THAT(outcome.out, ContainsRegex("all +56 "));
    const std::vector<std::string> ask = {"-q", "--chat", "--prompt", "Tell me about yourself.", "--temperature", "0", "-n", "30"};
    std::vector<std::string> stored = {"generate", "-m", out},
                             at_load = {"generate", "-m", ember_, "--quant", "q4", "--keep", "layers.0=q8"};
    stored.insert(stored.end(), ask.begin(), ask.end());
    at_load.insert(at_load.end(), ask.begin(), ask.end());
    const auto first = run_hearth(stored);
    EXPECT_EQ(first.code, 0) << first.err;
    EXPECT_GT(first.out.size(), 20u);
    EXPECT_EQ(first.out, run_hearth(at_load).out);
    EXPECT_THAT(run_hearth({"inspect", "-m", out}).out, HasSubstr("on disk         "));
    EXPECT_EQ(run_hearth({"quantize", ember_, "--to", "q4", "--out", out}).code, 3);  // never over what is there
}

TEST_F(QuantizeProgram, SaysWhatIsWrongWithItsCommandLine) {
    const std::string out = (folder_ / "out").string();
    EXPECT_EQ(run_hearth({"quantize", "--out", out}).code, 2);
    EXPECT_EQ(run_hearth({"quantize", ember_}).code, 2);
    EXPECT_EQ(run_hearth({"quantize", ember_, "--to", "q5", "--out", out}).code, 2);
    EXPECT_THAT(run_hearth({"quantize", ember_, "--keep", "nothing=q8", "--out", out}).err, HasSubstr("'nothing' fits no matrix"));
    EXPECT_EQ(run_hearth({"generate", "--keep", "lm_head=q8", "--prompt", "x"}).code, 2);
    EXPECT_FALSE(fs::exists(out));
}

TEST(Quantize, WritesNoMessagesIntoTheCheckpointWhenItsDescriptorsAreClosed) {
    const TempFolder folder;
    const auto run = [&](const char* name, bool closed) {
        return run_hearth({"quantize", "ember", "--to", "q8", "-o", (folder / name).string()}, {.close_descriptors = closed}).code;
    };
    EXPECT_EQ(run("open", false), 0);
    EXPECT_EQ(run("closed", true), 0);
    std::string contents[2];
    for (int i = 0; i < 2; ++i) {
        std::ifstream file(folder / (i == 0 ? "open/model.safetensors" : "closed/model.safetensors"), std::ios::binary);
        contents[i].assign(std::istreambuf_iterator<char>(file), {});
    }
    EXPECT_GT(contents[0].size(), 1'000'000u);
    EXPECT_TRUE(contents[0] == contents[1]);
    EXPECT_EQ(run_hearth({"chat"}, {.close_descriptors = true}).code, 0);
}

}  // namespace
}  // namespace hearth::testing
