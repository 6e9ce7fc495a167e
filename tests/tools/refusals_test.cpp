// Models that are not there or not what they should be: a message that names them, and exit code 3 (1 where the system refuses).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "tests/support/shared.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// A folder of its own, gone with the test.
class Refusals : public ::testing::Test {
protected:
    ~Refusals() override {
        std::error_code ignored;
        fs::permissions(folder_, fs::perms::owner_all, ignored);  // a folder that cannot be listed cannot be removed
    }
    void write(const std::string& name, const std::string& text) const { temp_.write(name, text); }

    void copy_ember() const {
        fs::copy(fs::path(HEARTH_SOURCE_DIR) / "tools/ember", folder_, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    }

    /// Every subcommand that opens a model refuses the folder.
    void expect_refused(int code, const std::string& message) const {
        const std::vector<std::vector<std::string>> lines = {
            {"generate", "--prompt", "x", "--max-tokens", "1"}, {"chat"}, {"inspect"}, {"perplexity", "/etc/passwd"}};
        for (auto line : lines) {
            line.insert(line.end(), {"--model", folder_.string()});
            const auto outcome = run_hearth(line);
            EXPECT_EQ(outcome.code, code) << line[0] << ": " << outcome.err;
            EXPECT_EQ(outcome.out, "") << line[0];
            EXPECT_THAT(outcome.err, HasSubstr(message)) << line[0];
            EXPECT_THAT(outcome.err, HasSubstr("hearth: ")) << line[0];
        }
    }

    const TempFolder temp_;
    const fs::path folder_ = temp_.path();
};

TEST_F(Refusals, AModelThatIsNotThere) {
    for (const auto* subcommand : {"generate", "chat", "inspect", "tokenize", "perplexity", "serve"}) {
        const auto outcome = run_hearth({subcommand, "--model", "no-such-model"}, {.input = "text"});
        EXPECT_EQ(outcome.code, 3) << subcommand;
        EXPECT_EQ(outcome.out, "") << subcommand;
        EXPECT_THAT(outcome.err, HasSubstr("no-such-model")) << subcommand;
        EXPECT_THAT(outcome.err, HasSubstr("ember")) << subcommand << ": what there is";
    }
}

TEST_F(Refusals, AnEmptyFolder) { expect_refused(3, "config.json"); }

TEST_F(Refusals, AConfigThatIsNotJson) {
    write("config.json", "{\"model_type\": ");
    expect_refused(3, "config.json");
}

TEST_F(Refusals, AFamilyThatIsUnknown) {
    copy_ember();
    write("config.json", R"({"model_type": "gpt_weird", "architectures": ["GptWeird"]})");
    expect_refused(3, "gpt_weird");
}

TEST_F(Refusals, AFileThatIsCutShort) {
    copy_ember();
    fs::resize_file(folder_ / "model.safetensors", 1'000'000);
    expect_refused(3, "model.safetensors");
}

TEST_F(Refusals, WeightsThatAreMissing) {
    copy_ember();
    fs::remove(folder_ / "model.safetensors");
    expect_refused(3, "safetensors");
}

TEST_F(Refusals, FilesWithoutPermission) {
    constexpr int kNobody = 65534;
    const int user = geteuid() == 0 ? kNobody : -1;  // root may read everything
    copy_ember();
    fs::permissions(folder_, fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
    const std::vector<std::string> line = {"inspect", "--model", folder_.string()};
    if (const auto all = run_hearth(line, {.user = user}); all.code != 0)
        GTEST_SKIP() << "skipped: another user cannot run it here: " << all.err;
    fs::permissions(folder_ / "model.safetensors", fs::perms::none);
    const auto file = run_hearth(line, {.user = user});
    EXPECT_EQ(file.code, 1) << file.err;
    EXPECT_THAT(file.err, AllOf(HasSubstr("model.safetensors"), HasSubstr("Permission denied")));
    fs::permissions(folder_, user < 0 ? fs::perms::none : fs::perms::owner_all);
    const auto folder = run_hearth(line, {.user = user});
    EXPECT_EQ(folder.code, 1) << folder.err;
    EXPECT_THAT(folder.err, AllOf(HasSubstr(folder_.string()), HasSubstr("Permission denied")));
}

TEST_F(Refusals, AQuantisationThatIsNotSupported) {
    const auto outcome = run_hearth({"inspect", "--model", (golden_dir() / "bnb-refuse").string()});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, HasSubstr("bitsandbytes"));
}

TEST_F(Refusals, ATextFileThatIsNotThere) {
    const auto outcome = run_hearth({"perplexity", "/nonexistent/book.txt"});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, HasSubstr("/nonexistent/book.txt"));
    EXPECT_EQ(run_hearth({"perplexity", "/"}).code, 1);
}

TEST_F(Refusals, ADeviceThatIsNotThere) {
    const auto outcome = run_hearth({"generate", "--prompt", "x", "--device", "abacus"});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, HasSubstr("abacus"));
    EXPECT_THAT(outcome.err, HasSubstr("reference"));
}

TEST_F(Refusals, AKernelThatIsNotThere) {
    const auto outcome = run_hearth({"generate", "--prompt", "x"}, {.environment = {{"HEARTH_FORCE", "matmul/abacus"}}});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, HasSubstr("matmul/abacus"));
}

TEST_F(Refusals, AListOfKernelsThatNamesNone) {
    for (const char* list : {",", " , ,"}) {
        const auto outcome = run_hearth({"inspect"}, {.environment = {{"HEARTH_FORCE", list}}});
        EXPECT_EQ(outcome.code, 3) << list;
        EXPECT_THAT(outcome.err, HasSubstr(cat("HEARTH_FORCE: expected names of kernels")));
        EXPECT_THAT(outcome.err, HasSubstr(cat("found \"", list, '"')));
    }
    EXPECT_EQ(run_hearth({"inspect"}, {.environment = {{"HEARTH_FORCE", ""}}}).code, 0);
}

TEST_F(Refusals, AServerWhoseKernelsAreNotThereDoesNotStart) {
    const auto outcome = run_hearth({"serve", "--port", "0"}, {.environment = {{"HEARTH_FORCE", "matmul/abacus"}}});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr("matmul/abacus"));
}

TEST_F(Refusals, APromptThatDoesNotFitWithBothNumbers) {
    std::string words;
    for (int i = 0; i < 100; ++i) words += "word ";
    const auto ids = run_hearth({"tokenize", "--ids", words});
    const auto count = 1 + std::count(ids.out.begin(), ids.out.end(), ' ');
    ASSERT_GT(count, 64);
    const auto outcome = run_hearth({"generate", "--context", "64", "--prompt", words});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(std::to_string(count)));
    EXPECT_THAT(outcome.err, HasSubstr("64"));
}

}  // namespace
}  // namespace hearth::testing
