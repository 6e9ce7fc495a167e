// `hearth bench` with Ember: what it prints, not how fast it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
        for (const Json& stage : row.at("stages")) bytes += stage.at("bytes").get<double>();
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
    EXPECT_TRUE(csv[1].starts_with("\"hearth "));
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

}  // namespace
}  // namespace hearth::testing
