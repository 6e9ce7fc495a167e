// What is said of a folder that leaves something to guess, with --quiet and without.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/temp_folder.h"
#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Ember without a chat template, and with an end token that the vocabulary lacks.
class SilentEmber {
public:
    SilentEmber() {
        const fs::path ember = fs::path(HEARTH_SOURCE_DIR) / "tools" / "ember";
        for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) fs::create_symlink(ember / name, folder_ / name);
        std::ofstream(folder_ / "generation_config.json") << R"({"eos_token_id": 99999})";
        std::ifstream in(ember / "tokenizer_config.json");
        auto config = nlohmann::json::parse(in);
        config.erase("chat_template");
        std::ofstream(folder_ / "tokenizer_config.json") << config;
    }

    std::string path() const { return folder_.path().string(); }

private:
    const TempFolder folder_;
};

TEST(Notices, OfAMissingTemplateAreSaidWithQuietToo) {
    const SilentEmber ember;
    const auto loud = run_hearth({"generate", "--model", ember.path(), "--prompt", "Hi", "-n", "1"}),
               quiet = run_hearth({"generate", "-q", "--model", ember.path(), "--prompt", "Hi", "-n", "1"});
    EXPECT_EQ(loud.code, 0) << loud.err;
    EXPECT_THAT(loud.err, AllOf(HasSubstr("no chat template, using chatml"), HasSubstr("eos_token_id is 99999")));
    EXPECT_EQ(quiet.code, 0) << quiet.err;
    EXPECT_THAT(quiet.err, AllOf(HasSubstr("no chat template, using chatml"), Not(HasSubstr("eos_token_id"))));
}

}  // namespace
}  // namespace hearth::testing
