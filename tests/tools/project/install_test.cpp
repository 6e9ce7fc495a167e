// The program away from the tree that it was built in.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

namespace fs = std::filesystem;

class Install : public ::testing::Test {
protected:
    const TempFolder folder_;
};

TEST_F(Install, TheProgramAloneHasEmber) {
    const fs::path program = folder_ / "hearth";
    fs::copy_file(HEARTH_PROGRAM, program);
    const auto tokens = run_hearth({"tokenize", "Hi"}, {.program = program.string()});
    EXPECT_EQ(tokens.code, 0) << tokens.err;
    EXPECT_FALSE(tokens.out.empty());
    const auto chat = run_hearth({"chat", "--temperature", "0", "-n", "4"}, {.input = "Hello!\n", .program = program.string()});
    EXPECT_EQ(chat.code, 0) << chat.err;
    EXPECT_FALSE(chat.out.empty());
}

TEST_F(Install, GivesAWholeBelowDestdirAndAnyPrefix) {
    const fs::path build = fs::path(HEARTH_PROGRAM).parent_path();
    const std::string command =
        cat("DESTDIR='", folder_.path().string(), "' cmake --install '", build.string(), "' --prefix /opt/any > /dev/null");
    ASSERT_EQ(std::system(command.c_str()), 0);
    const fs::path prefix = folder_ / "opt/any";
    const auto version = run_hearth({"--version"}, {.program = (prefix / "bin/hearth").string()});
    EXPECT_EQ(version.code, 0) << version.err;
    EXPECT_TRUE(version.out.starts_with("hearth ")) << version.out;
    EXPECT_TRUE(fs::exists(prefix / "share/man/man1/hearth.1"));
    EXPECT_TRUE(fs::exists(prefix / "share/doc/hearth/LICENSE"));
    EXPECT_EQ(run_hearth({"tokenize", "Hi"}, {.program = (prefix / "bin/hearth").string()}).code, 0);
}

TEST_F(Install, ManPageNamesEverySubcommandAndVariable) {
    std::ifstream file(fs::path(HEARTH_SOURCE_DIR) / "docs/hearth.1");
    const std::string page((std::istreambuf_iterator<char>(file)), {});
    const std::string help = run_hearth({"--help"}).out;
    const size_t begin = help.find("Subcommands:\n"), end = help.find("\nOptions:");
    ASSERT_NE(begin, std::string::npos);
    ASSERT_NE(end, std::string::npos);
    int found = 0;
    for (const std::string& line : split(help.substr(begin, end - begin), '\n')) {
        if (!line.starts_with("  ")) continue;
        const std::string name = line.substr(2, line.find(' ', 2) - 2);
        EXPECT_NE(page.find(".B " + name + "\n"), std::string::npos) << name;
        ++found;
    }
    EXPECT_GE(found, 9);
    for (const char* name : {"HEARTH_MODELS", "HEARTH_FORCE", "NO_COLOR"}) {
        EXPECT_NE(page.find(name), std::string::npos) << name;
        EXPECT_NE(help.find(name), std::string::npos) << name;
    }
}

}  // namespace
}  // namespace hearth::testing
