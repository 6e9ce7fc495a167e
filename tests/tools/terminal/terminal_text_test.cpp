// What comes from files and people never drives a terminal.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEvil =
    "\x1B[31mred\x07\x7F\xC2\x9B"
    "1m\xE2\x80\xAE"
    "der\xE2\x81\xA6";

/// Control characters other than newline and tab, C1 ones in UTF-8 included, and those that turn the direction of what follows.
bool has_control(const std::string& text) {
    for (size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) return true;
        if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
        for (const char* turn : {"\xE2\x80\xAE", "\xE2\x80\xAA", "\xE2\x81\xA6", "\xD8\x9C"}) {  // U+202E, U+202A, U+2066, U+061C
            if (text.compare(i, std::strlen(turn), turn) == 0) return true;
        }
    }
    return false;
}

/// Ember's folder with one text file replaced; its own name is hostile too.
class HostileFolder : public ::testing::Test {
protected:
    void SetUp() override {
        fs::create_directories(folder_);
        for (const auto& file : fs::directory_iterator(fs::path(HEARTH_SOURCE_DIR) / "tools/ember"))
            fs::create_symlink(file.path(), folder_ / file.path().filename());
    }

    void replace(const std::string& name, const std::string& text) {
        fs::remove(folder_ / name);
        std::ofstream(folder_ / name) << text;
    }

    void expect_clean(const std::vector<std::string>& arguments, const std::string& input = "") {
        auto all = arguments;
        all.insert(all.end(), {"--model", folder_.string()});
        const auto outcome = run_hearth(all, {.input = input});
        EXPECT_FALSE(has_control(outcome.out)) << arguments[0] << ": " << printable(outcome.out, 2000);
        EXPECT_FALSE(has_control(outcome.err)) << arguments[0] << ": " << printable(outcome.err, 2000);
    }

    const TempFolder parent_;
    const fs::path folder_ = parent_ / (std::string("name") + kEvil);
};

TEST_F(HostileFolder, ItsNameDrivesNoTerminal) {
    expect_clean({"inspect"});
    expect_clean({"generate", "Hi", "-n", "2"});
    expect_clean({"tokenize", "Hi"});
    expect_clean({"perplexity"}, "Once upon a time there was a cat.");
    expect_clean({"bench", "-p", "4", "-n", "1", "-r", "1"});
    expect_clean({"quantize", "--to", "q8", "-o", (parent_ / (std::string("out") + kEvil)).string()});
}

TEST_F(HostileFolder, TheTemplatesOwnErrorDrivesNoTerminal) {
    replace("chat_template.jinja",
            "{{ raise_exception('\x1B[31mno \\x1b[2J\xC2\x9B"
            "1m\xE2\x80\xAEon') }}");
    expect_clean({"generate", "--chat", "Hi", "-n", "2"});
    expect_clean({"chat"}, "Hi\n");
    expect_clean({"inspect"});
}

TEST_F(HostileFolder, WrongFilesDriveNoTerminal) {
    replace("config.json", cat("{\"architectures\": [\"", "\\u001b[31m", kEvil, "\"], \"model_type\": \"\\u001b[2J\"}"));
    for (const char* command : {"inspect", "generate", "tokenize", "bench"}) expect_clean({command});
    replace("tokenizer_config.json", cat("{\"bos_token\": \"\\u001b[31m\\u009b\", \"eos_token\": 7, \"", kEvil, "\": 1"));
    expect_clean({"tokenize", "Hi"});
}

TEST(TerminalText, AModelNameThatIsNotThereDrivesNoTerminal) {
    const auto outcome = run_hearth({"inspect", "--model", kEvil});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_FALSE(has_control(outcome.err)) << printable(outcome.err, 500);
    const auto option = run_hearth({"generate", cat("--", kEvil)});
    EXPECT_FALSE(has_control(option.err)) << printable(option.err, 500);
    const auto subcommand = run_hearth({kEvil});
    EXPECT_FALSE(has_control(subcommand.err)) << printable(subcommand.err, 500);
}

}  // namespace
}  // namespace hearth::testing
