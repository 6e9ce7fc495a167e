#include "perf/compare/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/perf/samples.h"

namespace hearth::perf {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ResultFile file_of(const std::string& name, const std::vector<Row>& rows) {
    std::string text;
    for (const Row& row : rows) text += (text.empty() ? "[" : ",") + bench_row(row);
    return parse_results(text + "]", name);
}

const std::string kFast = "[120, 121, 119, 120, 120.5]", kSlow = "[80, 81, 79, 80, 80.5]", kSame = "[100, 100.5, 99.5, 100, 100]",
                  kWild = "[60, 150, 100, 90, 110]";

TEST(Compare, CountsAVerdictForEachTestThatBothFilesHave) {
    const auto a = file_of("a.json", {{}, {.prompt = 0, .generate = 64}, {.prompt = 0, .generate = 64, .depth = 3500}, {.prompt = 128}});
    const auto b = file_of("b.json", {{.samples = kFast},
                                      {.samples = kSlow, .prompt = 0, .generate = 64},
                                      {.samples = kSame, .prompt = 0, .generate = 64, .depth = 3500},
                                      {.samples = kWild, .prompt = 128},
                                      {.prompt = 64}});
    const Comparison result = compare(a, b);
    EXPECT_EQ(result.faster, 1);
    EXPECT_EQ(result.slower, 1);
    EXPECT_EQ(result.same, 1);
    EXPECT_EQ(result.unclear, 1);
    EXPECT_THAT(result.text, HasSubstr("only in b.json: llama 1.10B q8 (a.json), 2 threads, b512, pp64"));
    EXPECT_THAT(result.text, HasSubstr("1 same, 1 faster, 1 slower, 1 unclear"));
}

TEST(Compare, CountsLessTimeAsFaster) {
    const auto google = [](const char* time) {
        std::string rows;
        for (int i = 0; i < 5; ++i) rows += cat(i > 0 ? "," : "", R"({"name": "x", "real_time": )", time, i, R"(, "time_unit": "ms"})");
        return parse_results(cat(R"({"context": {"cpu": "Test CPU"}, "benchmarks": [)", rows, "]}"), "g.json");
    };
    EXPECT_EQ(compare(google("2.0"), google("1.0")).faster, 1);
    EXPECT_EQ(compare(google("1.0"), google("2.0")).slower, 1);
}

TEST(Compare, RefusesTwoMachinesUnlessTold) {
    const auto a = file_of("a.json", {{}});
    auto b = file_of("b.json", {{}});
    b.machine = "Other CPU";
    try {
        compare(a, b);
        FAIL() << "two machines were compared";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("Test CPU"));
        EXPECT_THAT(error.what(), HasSubstr("Other CPU"));
    }
    const Comparison result = compare(a, b, {.any_machine = true});
    EXPECT_THAT(result.text, HasSubstr("A: a.json, Test CPU"));
    EXPECT_THAT(result.text, HasSubstr("B: b.json, Other CPU"));
}

TEST(Compare, RefusesFilesWithNothingInCommon) {
    EXPECT_THROW(compare(file_of("a.json", {{}}), file_of("b.json", {{.prompt = 7}})), Error);
    EXPECT_THROW(compare(file_of("a.json", {{}}), file_of("b.json", {{.type = "llama 1.10B q4"}})), Error)
        << "another format is another test";
}

TEST(Compare, SaysWhereTokensOrSettingsDiffer) {
    const auto a = file_of("a.json", {{.more = R"(, "greedy_hash": "aa")"}}), b = file_of("b.json", {{.more = R"(, "greedy_hash": "bb")"}});
    EXPECT_THAT(compare(a, b).text, HasSubstr("greedy tokens differ"));
    EXPECT_THAT(compare(a, a).text, Not(HasSubstr("greedy tokens differ")));
    auto c = a;
    c.results[0].setup = "cpu:avx512, cache bf16";
    EXPECT_THAT(compare(a, c).text, HasSubstr("cpu:amx, cache bf16 against cpu:avx512, cache bf16"));
}

}  // namespace
}  // namespace hearth::perf
