// What README.md says is so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string source(const std::string& path) {
    std::ifstream in(cat(HEARTH_SOURCE_DIR, "/", path));
    return {std::istreambuf_iterator<char>(in), {}};
}

/// What stands in `text` between `before` and `after`; "" where that is not there.
std::string between(const std::string& text, const std::string& before, char after) {
    const size_t at = text.find(before);
    if (at == std::string::npos) return "";
    const size_t begin = at + before.size();
    return text.substr(begin, text.find(after, begin) - begin);
}

TEST(Readme, ItsExampleOfForcedKernelsRuns) {
    if (run_hearth({"inspect", "--device", "cpu:avx2"}).code != 0) GTEST_SKIP() << "skipped: no AVX2";
    const std::string list = between(source("README.md"), "`HEARTH_FORCE=", '`');
    ASSERT_FALSE(list.empty());
    const auto outcome = run_hearth({"inspect", "--json"}, {.environment = {{"HEARTH_FORCE", list}}});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    for (const std::string& name : split(list, ',')) EXPECT_THAT(outcome.out, HasSubstr(cat('"', name, '"')));
    EXPECT_EQ(run_hearth({"generate", "--prompt", "Hi", "-n", "1"}, {.environment = {{"HEARTH_FORCE", list}}}).code, 0);
}

TEST(Readme, FiguresOfSpeedStandInOneFile) {
    const std::string readme = source("README.md"), perf = source("perf/README.md");
    for (const char* test : {"| tg64", "| pp512", "tokens/s |"}) {
        EXPECT_THAT(perf, HasSubstr(test));
        EXPECT_THAT(readme, Not(HasSubstr(test)));
    }
    EXPECT_THAT(readme, HasSubstr("perf/README.md"));
}

TEST(Readme, TheLimitOfTemplateStepsIsThatOfTheSource) {
    const std::string steps = between(source("chat/template/template_limits.h"), "int64_t steps = ", ';');
    ASSERT_FALSE(steps.empty());
    std::string grouped;
    for (const char c : steps) grouped += c == '\'' ? ',' : c;
    EXPECT_THAT(source("README.md"), HasSubstr(cat("time | ", grouped, ";")));
}

}  // namespace
}  // namespace hearth::testing
