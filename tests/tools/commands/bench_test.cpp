// `hearth bench` with Ember: what it prints, not how fast it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

using Json = nlohmann::json;

Outcome bench(std::vector<std::string> options) {
    options.insert(options.begin(), {"bench", "--quiet", "--no-limits", "--no-warmup"});
    return run_hearth(options);
}

Json bench_json(std::vector<std::string> options) {
    options.insert(options.end(), {"-o", "json"});
    const Outcome outcome = bench(std::move(options));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return Json::parse(outcome.out, nullptr, false);
}

std::vector<int64_t> column(const Json& rows, const char* key) {
    std::vector<int64_t> out;
    for (const Json& row : rows) out.push_back(row.at(key));
    return out;
}

double median_seconds(const Json& row) {  // of two samples
    return (row.at("samples_ns")[0].get<double>() + row.at("samples_ns")[1].get<double>()) / 2e9;
}

TEST(Bench, WritesTheKeysOfLlamaBenchAndOurs) {
    const Json rows = bench_json({"-p", "8", "-n", "3", "-d", "0,40", "-r", "2", "--profile", "-t", "1"});
    ASSERT_EQ(rows.size(), 4u);
    for (const Json& row : rows) {
        for (const char* key : {"build_commit",      "build_number", "cpu_info",       "gpu_info",  "model_filename",
                                "model_type",        "model_size",   "model_n_params", "n_batch",   "n_ubatch",
                                "n_threads",         "type_k",       "type_v",         "n_prompt",  "n_gen",
                                "n_depth",           "test_time",    "avg_ns",         "stddev_ns", "avg_ts",
                                "stddev_ts",         "samples_ns",   "samples_ts",     "gbps",      "pct_bw_measured",
                                "pct_peak_measured", "greedy_hash",  "stages"}) {
            EXPECT_TRUE(row.contains(key)) << key;
        }
        ASSERT_EQ(row.at("samples_ts").size(), 2u);
        EXPECT_NEAR(row.at("avg_ts"), (row.at("samples_ts")[0].get<double>() + row.at("samples_ts")[1].get<double>()) / 2, 1e-6);
        EXPECT_EQ(row.at("greedy_hash"), rows[0].at("greedy_hash"));
        EXPECT_EQ(row.at("n_threads"), 1);
        EXPECT_TRUE(row.at("pct_bw_measured").is_null()) << "no limits were measured";
        double bytes = 0;
        for (const Json& stage : row.at("stages")) {
            EXPECT_NE(stage.at("variant").get<std::string>(), "");
            bytes += stage.at("bytes").get<double>();
        }
        EXPECT_NEAR(bytes / row.at("gbps").get<double>() * 1e-9, median_seconds(row), 1e-6);
    }
    EXPECT_EQ(column(rows, "n_depth"), (std::vector<int64_t>{0, 40, 0, 40}));
}

TEST(Bench, SweepsListsAndRanges) {
    EXPECT_EQ(column(bench_json({"-p", "4-16*2,5", "-n", "0", "-r", "1"}), "n_prompt"), (std::vector<int64_t>{4, 8, 16, 5}));
    EXPECT_EQ(column(bench_json({"-p", "0-9+4", "-n", "0", "-r", "1"}), "n_prompt"), (std::vector<int64_t>{4, 8}));
    EXPECT_EQ(column(bench_json({"-p", "0", "-n", "2-4", "-r", "1"}), "n_gen"), (std::vector<int64_t>{2, 3, 4}));
    EXPECT_EQ(column(bench_json({"-p", "6", "-n", "0", "-b", "2,4", "-r", "1"}), "n_batch"), (std::vector<int64_t>{2, 4}));
    EXPECT_EQ(column(bench_json({"-p", "0", "-n", "2", "-npl", "1,3", "-r", "1"}), "n_parallel"), (std::vector<int64_t>{1, 3}));
    const Json pairs = bench_json({"-p", "0", "-n", "0", "-pg", "4,2,6,1", "-r", "1"});
    EXPECT_EQ(column(pairs, "n_prompt"), (std::vector<int64_t>{4, 6}));
    EXPECT_EQ(column(pairs, "n_gen"), (std::vector<int64_t>{2, 1}));
}

TEST(Bench, NamesTheUnitThatQuantisedRowsUse) {
    const auto unit = [](const std::string& device) {
        const Outcome outcome = bench({"-p", "4", "-n", "0", "-r", "1", "--quant", "q8", "--device", device, "-o", "jsonl"});
        return outcome.code == 0 ? Json::parse(outcome.out).at("peak_unit").get<std::string>() : "no such level";
    };
    EXPECT_THAT(unit("cpu:avx512"), ::testing::AnyOf("int8 dot", "no such level"));
    EXPECT_THAT(unit("cpu:amx"), ::testing::AnyOf("AMX int8", "no such level"));
}

TEST(Bench, WritesEveryFormat) {
    const std::vector<std::string> tests = {"-p", "4", "-n", "2", "-r", "1", "-o"};
    const auto lines = [&](const char* format) {
        auto options = tests;
        options.emplace_back(format);
        std::istringstream in(bench(options).out);
        std::vector<std::string> out;
        for (std::string line; std::getline(in, line);) out.push_back(line);
        return out;
    };
    EXPECT_EQ(lines("md").size(), 4u);
    EXPECT_EQ(lines("jsonl").size(), 2u);
    const auto csv = lines("csv");
    ASSERT_EQ(csv.size(), 3u);
    EXPECT_TRUE(csv[0].starts_with("build_commit,build_number,"));
    const auto empty = lines("md");
    EXPECT_TRUE(empty[0].starts_with("| model |"));
}

TEST(Bench, RefusesWrongListsNamingTheOption) {
    const std::vector<std::pair<const char*, const char*>> wrong = {
        {"-p", "many"},  {"-p", "4,"},  {"-p", "-4"},   {"-p", "8-4"},     {"-p", "4-16*1"},    {"-p", "0-16*2"},   {"-n", "4-16+0"},
        {"-n", "4-16+"}, {"-d", "1-"},  {"-d", "1e3"},  {"-b", "0"},       {"-p", "1048577"},   {"-pg", "512"},     {"-npl", "0"},
        {"-r", "0"},     {"-o", "xml"}, {"-p", "4--8"}, {"-p", "4-8*2*2"}, {"-n", "0-1000000"}, {"--cache", "int3"}};
    for (const auto& [option, value] : wrong) {
        const Outcome outcome = bench({option, value});
        EXPECT_EQ(outcome.code, 2) << option << " " << value;
        EXPECT_NE(outcome.err.find(std::string(option).substr(1)), std::string::npos) << outcome.err;
        EXPECT_EQ(outcome.out, "");
    }
    EXPECT_EQ(bench({"-p", "0", "-n", "0"}).code, 2);
    EXPECT_EQ(bench({"-m", "ember", "--random-weights", "config.json"}).code, 2);
    EXPECT_EQ(bench({"--dtype", "f32"}).code, 2);
    EXPECT_EQ(bench({"--random-weights", "/nonexistent/config.json"}).code, 3);
}

// ---------------------------------------------------------------------------------------------------- habits of llama-bench

Outcome loud_bench(std::vector<std::string> options, const std::string& forced = "") {
    options.insert(options.begin(), {"bench", "--no-limits", "--no-warmup", "-r", "1"});
    return run_hearth(options, {.environment = {{"HEARTH_FORCE", forced}}});
}

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(BenchHabits, OptionsWithoutMeaningAreReadAndSaid) {
    const Outcome outcome =
        loud_bench({"-p", "4", "-n", "2", "-ngl", "99", "-fa", "1", "-mmp", "0", "-sm", "none", "--n-gpu-layers", "1", "-o", "json"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(Json::parse(outcome.out).size(), 2u) << "-ngl 99 is no -n";
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("-ngl: no effect"), HasSubstr("-fa: no effect"), HasSubstr("-mmp: no effect"),
                                   HasSubstr("-sm: no effect")));
    EXPECT_EQ(bench({"-p", "4", "-n", "0", "-r", "1", "-ngl", "99"}).err, "") << "--quiet";
}

TEST(BenchHabits, ALongOptionWithOneDashIsNeverAShortOneWithAValue) {
    for (const char* command : {"bench", "generate", "chat", "perplexity"}) {
        const Outcome outcome = run_hearth({command, "-nope"});
        EXPECT_EQ(outcome.code, 2) << command;
        EXPECT_THAT(outcome.err, HasSubstr("there is no option \"-nope\"")) << command;
    }
    EXPECT_EQ(column(bench_json({"-p4", "-n0", "-r1"}), "n_prompt"), (std::vector<int64_t>{4})) << "numbers may stand behind a letter";
}

TEST(BenchHabits, ValuesThatLookLikeOptionsStayValues) {
    const Outcome outcome = run_hearth({"tokenize", "--", "-pg"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST(BenchHabits, TakesUbatchAndCacheTypesByTheirNames) {
    const Json rows = bench_json({"-p", "6", "-n", "0", "-ub", "2,4", "-ctk", "q8_0", "-ctv", "q8_0", "-r", "1"});
    EXPECT_EQ(column(rows, "n_ubatch"), (std::vector<int64_t>{2, 4}));
    for (const Json& row : rows) EXPECT_EQ(row.at("type_k"), "q8");
    const Outcome both = loud_bench({"-p", "6", "-n", "0", "-b", "2", "-ub", "3", "-o", "json"});
    EXPECT_EQ(column(Json::parse(both.out), "n_ubatch"), (std::vector<int64_t>{3}));
    EXPECT_THAT(both.err, HasSubstr("-b: no effect beside -ub"));
    EXPECT_EQ(bench({"-ctk", "q8_0", "-ctv", "f16"}).code, 2);
    EXPECT_THAT(bench({"-ctk", "q5_1"}).err, HasSubstr("-ctk: expected q8_0"));
}

TEST(BenchHabits, SweepsThreadsModelsAndCachesAndAddsUpRepeatedFlags) {
    EXPECT_EQ(column(bench_json({"-p", "4", "-n", "0", "-r", "1", "-t", "1,2"}), "n_threads"), (std::vector<int64_t>{1, 2}));
    EXPECT_EQ(column(bench_json({"-p", "4", "-p", "8", "-n", "0", "-r", "1"}), "n_prompt"), (std::vector<int64_t>{4, 8}));
    const Json pairs = bench_json({"-p", "0", "-n", "0", "-pg", "4,2", "-pg", "6,1", "-r", "1"});
    EXPECT_EQ(column(pairs, "n_prompt"), (std::vector<int64_t>{4, 6}));
    const std::string golden = std::string(HEARTH_SOURCE_DIR) + "/tests/golden/";
    const Json models = bench_json({"-m", golden + "llama-plain," + golden + "qwen3", "-p", "4", "-n", "0", "-r", "1"});
    ASSERT_EQ(models.size(), 2u);
    EXPECT_NE(models[0].at("model_filename"), models[1].at("model_filename"));
    const Json caches = bench_json({"--cache", "bf16,q8", "-p", "4", "-n", "0", "-r", "1"});
    ASSERT_EQ(caches.size(), 2u);
    EXPECT_EQ(caches[1].at("type_k"), "q8");
    for (const auto& wrong : {std::vector<std::string>{"-t", "0"}, {"-t", "1025"}, {"-t", "a"}, {"-m", "a,,b"}, {"--cache", "bf16,x"}})
        EXPECT_EQ(bench(wrong).code, 2) << wrong[1];
}

TEST(BenchHabits, ContextIsRefusedAsItWouldChangeNothing) {
    const Outcome outcome = bench({"-p", "4", "-n", "0", "-c", "8"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("-c"));
    EXPECT_THAT(run_hearth({"bench", "--help"}).out, Not(HasSubstr("--context")));
}

TEST(BenchHabits, WritesASecondFormatToStandardError) {
    const Outcome outcome = bench({"-p", "4", "-n", "0", "-r", "1", "-o", "md", "-oe", "jsonl"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(Json::parse(outcome.err).at("n_prompt"), 4);
    EXPECT_TRUE(outcome.out.starts_with("| model |"));
}

// ---------------------------------------------------------------------------------------------------- what is written

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

TEST(BenchMarkdown, StaysOneTableWithTheProfileBehindIt) {
    const Outcome outcome = bench({"-p", "4,8", "-n", "0", "-r", "1", "--profile"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const auto lines = lines_of(outcome.out);
    size_t tables = 0, cells = 0;
    for (size_t i = 0; i < lines.size(); ++i) {
        const bool row = lines[i].starts_with("|");
        const auto bars = static_cast<size_t>(std::ranges::count(lines[i], '|'));
        if (row && (i == 0 || !lines[i - 1].starts_with("|"))) {
            ++tables, cells = bars;
            EXPECT_TRUE(i == 0 || lines[i - 1].empty()) << "no blank line before " << lines[i];
        }
        if (row) {
            EXPECT_EQ(bars, cells) << lines[i];
        }
    }
    EXPECT_EQ(tables, 3u) << outcome.out;
    EXPECT_TRUE(lines[2].find("pp4") != std::string::npos && lines[3].find("pp8") != std::string::npos) << outcome.out;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("Kernels: "), HasSubstr("norm/"), HasSubstr("rope_append/"), HasSubstr("sample/")));
}

TEST(BenchMarkdown, VariedBatchesAndCachesHaveColumns) {
    const auto head = [](std::vector<std::string> options) {
        options.insert(options.end(), {"-p", "2", "-n", "0", "-r", "1"});
        return lines_of(bench(options).out).at(0);
    };
    EXPECT_THAT(head({"-b", "1,2"}), AllOf(HasSubstr("| batch |"), Not(HasSubstr("| cache |"))));
    EXPECT_THAT(head({"--cache", "q8"}), AllOf(HasSubstr("| cache |"), Not(HasSubstr("| batch |"))));
    EXPECT_THAT(head({}), AllOf(Not(HasSubstr("| cache |")), Not(HasSubstr("| batch |"))));
}

TEST(BenchJson, TellsRunsOfDifferentKernelsAndFormatsApart) {
    const Outcome outcome = loud_bench({"-p", "4", "-n", "0", "--quant", "q4", "--keep", "layers.0=q8", "--order", "free", "-o", "jsonl"},
                                       "norm/reference,attention/reference");
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const Json row = Json::parse(outcome.out);
    EXPECT_EQ(row.at("forced"), "norm/reference,attention/reference");
    EXPECT_EQ(row.at("quant"), "q4");
    EXPECT_EQ(row.at("keep"), "layers.0=q8");
    EXPECT_EQ(row.at("order"), "free");
    EXPECT_EQ(row.at("engine"), "hearth");
    EXPECT_THAT(row.at("model_type").get<std::string>(), ::testing::EndsWith("q4+q8"));
    EXPECT_THAT(row.at("variants").get<std::string>(), AllOf(HasSubstr("norm/reference"), HasSubstr("rope_append/"), HasSubstr("sample/")));
    EXPECT_THAT(row.at("build_commit").get<std::string>(),
                ::testing::AnyOf("unknown", ::testing::MatchesRegex("[0-9a-f]{12,40}(-dirty)?")));
}

// ---------------------------------------------------------------------------------------------------- HEARTH_FORCE

TEST(Forced, AListThatLeavesAStageToTheReferenceIsAnError) {
    if (run_hearth({"inspect", "--device", "cpu:avx2"}).code != 0) GTEST_SKIP() << "skipped: no AVX2";
    const std::vector<std::vector<std::string>> commands = {{"bench"}, {"inspect"}, {"generate", "--prompt", "Hi"}};
    for (const auto& command : commands) {
        const Outcome outcome = run_hearth(command, {.environment = {{"HEARTH_FORCE", "matmul/q_avx2"}}});
        EXPECT_EQ(outcome.code, 3) << command[0];
        EXPECT_THAT(outcome.err, AllOf(HasSubstr("HEARTH_FORCE"), HasSubstr("matmul/q_avx2"), HasSubstr("/reference"))) << command[0];
    }
    EXPECT_EQ(run_hearth({"inspect"}, {.environment = {{"HEARTH_FORCE", "matmul/reference"}}}).code, 0) << "asked for by name";
    EXPECT_EQ(run_hearth({"inspect", "--quant", "q8"}, {.environment = {{"HEARTH_FORCE", "matmul/q_avx2"}}}).code, 0);
}

}  // namespace
}  // namespace hearth::testing
