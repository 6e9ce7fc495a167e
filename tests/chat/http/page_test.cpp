// The page in a browser: runs tests/chat/web/page_test.mjs against a server of this program.
#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "tests/chat/http/running_server.h"

namespace hearth {
namespace {

class PageTest : public testing::ServerTest {};

TEST_F(PageTest, WorksInChromium) {
    const std::filesystem::path folder = std::filesystem::path(HEARTH_SOURCE_DIR) / "tests" / "chat" / "web";
    const char* other = std::getenv("HEARTH_CHROMIUM");
    if (!std::filesystem::exists(other ? other : "/usr/bin/chromium")) GTEST_SKIP() << "skipped: no Chromium";
    if (!std::filesystem::exists(folder / "node_modules" / "playwright-core"))
        GTEST_SKIP() << "skipped: run npm ci in tests/chat/web first";
    if (std::system("node --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "skipped: no node";
    const char* shots = std::getenv("HEARTH_SCREENSHOTS");
    const std::string command =
        cat("node '", (folder / "page_test.mjs").string(), "' http://127.0.0.1:", port(), "/ ", shots ? cat("'", shots, "'") : "");
    ASSERT_TRUE(wait_for_state("ember", "ready"));
    EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace hearth
