#include "perf/results/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/perf/samples.h"

namespace hearth::perf {
namespace {

using ::testing::HasSubstr;

std::string refusal(const std::string& text) {
    try {
        parse_results(text, "a.json");
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was refused";
}

TEST(Results, ReadsWhatBenchWrites) {
    const ResultFile file = parse_results("[" + bench_row({.prompt = 0, .generate = 64, .depth = 3500, .more = kStages}) + "]", "a.json");
    EXPECT_EQ(file.machine, "Test CPU");
    ASSERT_EQ(file.results.size(), 1u);
    const Result& result = file.results[0];
    EXPECT_EQ(result.name, "llama 1.10B q8 (a.json), 2 threads, tg64 @ d3500");
    EXPECT_EQ(result.engine, "hearth");
    EXPECT_EQ(result.weights, "q8");
    EXPECT_EQ(result.samples.size(), 5u);
    EXPECT_EQ(result.stages.size(), 4u);
    EXPECT_EQ(result.ceilings.read_gbps, 40);
    EXPECT_EQ(result.ceilings.amx_int8, 0);
}

TEST(Results, RunsOfDifferentKernelsDoNotLookAlike) {
    const auto setup = [](const std::string& more) {
        return parse_results("[" + bench_row({.more = more}) + "]", "a.json").results[0].setup;
    };
    EXPECT_EQ(setup(R"(, "forced": "", "keep": "", "order": "fixed")"), setup(""));
    EXPECT_THAT(setup(R"(, "forced": "norm/reference")"), HasSubstr("forced norm/reference"));
    EXPECT_THAT(setup(R"(, "keep": "embed=q4")"), HasSubstr("keep embed=q4"));
    EXPECT_THAT(setup(R"(, "order": "free")"), HasSubstr("order free"));
}

TEST(Results, AProgramThatNamesItselfNeedsNoCommitOfACertainForm) {
    const std::string row =
        R"([{"engine": "hearth", "build_commit": "0123456789ab", "model_type": "llama 1B q4+q8", "n_prompt": 4, "samples_ts": [5]}])";
    const Result result = parse_results(row, "a.json").results[0];
    EXPECT_EQ(result.engine, "hearth");
    EXPECT_EQ(result.weights, "q4+q8");
}

TEST(Results, ReadsWhatThePeersScriptWrites) {
    const ResultFile file = parse_results(
        R"({"results": [{"engine": "ik", "weights": "q4", "cpu_info": "Test CPU", "model_type": "llama 1B Q4_0", "n_threads": 2,
        "n_prompt": 512, "n_gen": 0, "samples_ts": [5]}]})",
        "a.json");
    EXPECT_EQ(file.results[0].engine, "ik");
    EXPECT_EQ(file.results[0].weights, "q4");
    EXPECT_THAT(file.results[0].name, ::testing::StartsWith("ik: "));
}

TEST(Results, GathersRepetitionsOfGoogleBenchmark) {
    const ResultFile file = parse_results(kGoogle, "a.json");
    ASSERT_EQ(file.results.size(), 1u);
    EXPECT_EQ(file.machine, "Test CPU");
    EXPECT_EQ(file.date, "2026-11-23T10:00:00+00:00");
    EXPECT_FALSE(file.results[0].is_rate);
    EXPECT_EQ(file.results[0].samples, (std::vector<double>{2.0e6, 2.1e6})) << "aggregates are no samples; both units in ns";
}

TEST(Results, ReadsWhatServeWrites) {
    const ResultFile file = parse_results(serve_run({}), "a.json");
    EXPECT_EQ(file.machine, "Test CPU");
    ASSERT_EQ(file.results.size(), 10u) << "four times with their p99, two rates; a goodput of 0 is none";
    EXPECT_EQ(file.results[0].name, "serve chat, 128 -> 64 tokens: time to first token");
    EXPECT_EQ(file.results[0].samples, (std::vector<double>{40e6, 50e6, 60e6})) << "ns";
    EXPECT_FALSE(file.results[0].is_rate);
    EXPECT_EQ(file.results[1].samples, std::vector<double>{150e6});
    EXPECT_EQ(file.results[0].setup, "hearth");
    EXPECT_EQ(file.results[9].unit, "req/s");
    ASSERT_TRUE(file.serve);
    EXPECT_EQ(file.serve->load, 4);
    EXPECT_FALSE(file.serve->by_rate);
    EXPECT_EQ(parse_results(serve_run({.samples = "[]"}), "a.json").results.size(), 2u) << "no answers, no times";
}

TEST(Results, RefusesRunsOfServeThatAreNone) {
    EXPECT_THAT(refusal(R"({"program": "perf_serve"})"), HasSubstr("\"load\""));
    EXPECT_THAT(refusal(R"({"program": "perf_serve", "load": 3})"), HasSubstr("a.json.load"));
    EXPECT_THAT(refusal(R"({"program": "other"})"), HasSubstr("perf_serve"));
    for (const char* samples : {"7", "[-1]", "[\"5\"]", "[null]", "null"})
        EXPECT_THAT(refusal(serve_run({.samples = samples})), HasSubstr("samples")) << samples;
    EXPECT_THAT(refusal(serve_run({.load = R"("rate": -1)"})), HasSubstr("rate"));
    std::string many = "[1";
    for (int64_t i = 0; i < kMostSamples; ++i) many += ",1";
    EXPECT_THAT(refusal(serve_run({.samples = many + "]"})), HasSubstr("at most 2000"));
}

TEST(Results, RefusesOtherJsonSayingWhatItReads) {
    EXPECT_THAT(refusal("{}"), HasSubstr("hearth bench -o json"));
    EXPECT_THAT(refusal("[]"), HasSubstr("found none"));
    EXPECT_THAT(refusal("3"), HasSubstr("hearth bench -o json"));
    EXPECT_THAT(refusal("[1]"), HasSubstr("a.json: [0]: expected an object"));
    EXPECT_THAT(refusal("[{\"n_prompt\": 0}]"), HasSubstr("n_prompt"));
    EXPECT_THAT(refusal("{\"results\": {}}"), HasSubstr("to be a list"));
    EXPECT_THAT(refusal("{\"benchmarks\": 1}"), HasSubstr("to be a list"));
    EXPECT_THAT(refusal("{\"context\": 3, \"benchmarks\": []}"), HasSubstr("expected an object"));
    EXPECT_THAT(refusal("[" + bench_row({})), HasSubstr("a.json")) << "cut short";
    EXPECT_THAT(refusal(std::string(100000, '[')), HasSubstr("a.json")) << "deep";
}

TEST(Results, RefusesSamplesThatAreNone) {
    for (const char* samples : {"[]", "null", "\"5\"", "[0]", "[-1]", "[\"5\"]", "[[5]]", "[null]", "5"}) {
        EXPECT_THAT(refusal("[" + bench_row({.samples = samples}) + "]"), HasSubstr("samples_ts")) << samples;
    }
    std::string many = "[1";
    for (int64_t i = 0; i < kMostSamples; ++i) many += ",1";
    EXPECT_THAT(refusal("[" + bench_row({.samples = many + "]"}) + "]"), HasSubstr("at most 2000"));
}

TEST(Results, RefusesMembersOfAnotherKind) {
    EXPECT_THAT(refusal("[" + bench_row({.more = R"(, "greedy_hash": 7)"}) + "]"), HasSubstr("greedy_hash"));
    EXPECT_THAT(refusal("[" + bench_row({.more = R"(, "stages": 7)"}) + "]"), HasSubstr("stages"));
    EXPECT_THAT(refusal("[" + bench_row({.more = R"(, "stages": [{"variant": "a", "seconds": -1}])"}) + "]"), HasSubstr("stages[0]"));
    EXPECT_THAT(refusal("[" + bench_row({.more = R"(, "limits": [])"}) + "]"), HasSubstr("limits"));
    EXPECT_THAT(refusal("[" + bench_row({.prompt = -5}) + "]"), HasSubstr("n_prompt"));
    EXPECT_THAT(refusal("[" + bench_row({.more = R"(, "n_parallel": 1.5)"}) + "]"), HasSubstr("n_parallel"));
}

TEST(Results, AStageIsNamedByItsVariantAndInOlderFilesByItsRow) {
    const auto file =
        parse_results("[" + bench_row({.more = R"(, "stages": [{"variant": "head/new"}, {"row": "head/old"}])"}) + "]", "a.json");
    ASSERT_EQ(file.results.at(0).stages.size(), 2u);
    EXPECT_EQ(file.results[0].stages[0].variant, "head/new");
    EXPECT_EQ(file.results[0].stages[1].variant, "head/old");
}

TEST(Results, RefusesTwoOfOneNameAndBenchmarksThatFailed) {
    EXPECT_THAT(refusal("[" + bench_row({}) + "," + bench_row({}) + "]"), HasSubstr("each test once"));
    EXPECT_THAT(refusal(R"({"benchmarks": [{"name": "x", "error_occurred": true, "error_message": "differs from the reference"}]})"),
                HasSubstr("differs from the reference"));
    EXPECT_THAT(refusal(R"({"benchmarks": [{"name": "x", "real_time": 1, "time_unit": "weeks"}]})"), HasSubstr("weeks"));
    EXPECT_THAT(refusal(R"({"benchmarks": [{"name": "x", "real_time": 0}]})"), HasSubstr("real_time"));
    EXPECT_THAT(refusal(R"({"benchmarks": [{"real_time": 1}]})"), HasSubstr("\"name\""));
}

TEST(Results, CountsEachOfSeveralRunsAsOneSample) {
    const auto run = [](const std::string& samples) { return parse_results("[" + bench_row({.samples = samples}) + "]", "run.json"); };
    const ResultFile merged = merge_runs({run("[1, 2, 30]"), run("[4]"), run("[3, 5]")});
    EXPECT_EQ(merged.results.at(0).samples, (std::vector<double>{2, 4, 4}));
    EXPECT_EQ(merge_runs({run("[1, 2, 30]")}).results.at(0).samples.size(), 3u);
    auto elsewhere = run("[1]");
    elsewhere.machine = "Other CPU";
    EXPECT_THROW(merge_runs({run("[1]"), elsewhere}), Error);
    EXPECT_THROW(merge_runs({run("[1]"), parse_results("[" + bench_row({.prompt = 7}) + "]", "b.json")}), Error);
}

TEST(Results, NamesAFileThatIsNotThere) { EXPECT_THROW(read_results("/nonexistent/a.json"), Error); }

}  // namespace
}  // namespace hearth::perf
