#include "perf/serve/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "perf/compare/compare.h"
#include "perf/plot/charts.h"
#include "perf/results/results.h"

namespace hearth::perf {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// An answer of `tokens` tokens: the first after `first` ms, then one each `gap` ms.
Outcome answer(double sent, double first, double gap, int64_t tokens, int64_t cached = 0) {
    Outcome out;
    out.ending = Ending::kAnswered, out.status = 200, out.sent = sent;
    out.first = first, out.last = first + gap * static_cast<double>(tokens - 1), out.whole = out.last + 1;
    out.gaps.assign(static_cast<size_t>(tokens - 1), static_cast<float>(gap));
    out.chunks = tokens;
    out.usage = {.prompt = 100, .completion = tokens, .cached = cached};
    return out;
}

Outcome failure(Ending ending, int status, const std::string& message) {
    Outcome out;
    out.ending = ending, out.status = status, out.message = message, out.whole = 5;
    return out;
}

RunResult run_of(double gap, int answers = 8) {
    RunResult run;
    for (int i = 0; i < answers; ++i) run.outcomes.push_back(answer(100.0 * i, 50 + i, gap + 0.01 * i, 11, i % 2 == 0 ? 64 : 0));
    run.wall_ms = 4000;
    run.stopped_by = "requests";
    return run;
}

LoadOptions load() {
    LoadOptions options;
    options.concurrency = 4, options.label = "a server", options.key = "secret-key", options.headers = {"X-Secret: hidden"};
    return options;
}

ResultFile file_of(const RunResult& run, const LoadOptions& options, const std::string& name = "a.json") {
    return parse_results(report_json(summarize(run, options), options, {.machine = "Test CPU", .time = "2026-11-28T10:00:00Z"}), name);
}

TEST(Summary, AddsUpWhatWasAnswered) {
    RunResult run = run_of(20);
    run.outcomes.push_back(failure(Ending::kClosedUnanswered, 0, "gone"));
    run.outcomes.push_back(failure(Ending::kNotConnected, 0, "nobody"));
    run.outcomes.push_back(failure(Ending::kNotConnected, 0, "nobody"));
    const Summary summary = summarize(run, load());
    EXPECT_EQ(summary.sent, 11);
    EXPECT_EQ(summary.answered, 8);
    EXPECT_EQ(summary.output_tokens, 88);
    EXPECT_EQ(summary.output_tokens_per_second, 22);
    EXPECT_EQ(summary.requests_per_second, 2);
    EXPECT_EQ(summary.itl_ms.size(), 80u);
    EXPECT_NEAR(summary.per_token_ms.at(3), 20.03, 1e-9);
    EXPECT_EQ(summary.prefix_hits, 4);
    EXPECT_EQ(summary.cached_tokens / summary.cached_of_tokens, 0.32);
    EXPECT_EQ(summary.failures.at(0).count, 2);
    EXPECT_EQ(summary.endings.at(Ending::kClosedUnanswered), 1);
}

TEST(Summary, CountsGoodRequestsByBothLimits) {
    RunResult run = run_of(20);
    Outcome silent = answer(0, 1, 1, 1);
    silent.first.reset(), silent.chunks = 0, silent.usage.completion = 0;
    run.outcomes.push_back(silent);
    LoadOptions options = load();
    EXPECT_EQ(summarize(run, options).good, 9);
    options.ttft_limit = 53;
    EXPECT_EQ(summarize(run, options).good, 4) << "50 to 53 ms; an answer without a token is none";
    options.itl_limit = 20.015;
    EXPECT_EQ(summarize(run, options).good, 2);
    EXPECT_EQ(summarize(run, options).goodput, 0.5);
    options.ttft_limit = 0;
    EXPECT_EQ(summarize(run, options).good, 3) << "two, and the one that has no time between tokens";
}

TEST(Summary, TellsApartOnlySoManyKindsOfFailures) {
    RunResult run;
    for (int i = 0; i < 100; ++i) run.outcomes.push_back(failure(Ending::kHttpError, 500, "error " + std::to_string(i)));
    const Summary summary = summarize(run, load());
    ASSERT_EQ(summary.failures.size(), kMostFailureKinds + 1);
    EXPECT_EQ(summary.failures.back().message, "others");
    EXPECT_EQ(summary.failures.back().count, 80);
}

TEST(Report, TableSaysWhatIsNotKnown) {
    RunResult run = run_of(20, 2);
    for (Outcome& outcome : run.outcomes) outcome.usage = {};
    run.outcomes.at(0).late = 300;
    run.outcomes.push_back(failure(Ending::kRefused, 429, "busy"));
    const std::string table = report_table(summarize(run, load()), load());
    EXPECT_THAT(table, HasSubstr("3 requests"));
    EXPECT_THAT(table, HasSubstr("1 x refused (429): busy"));
    EXPECT_THAT(table, HasSubstr("tokens of 2 answers are counted chunks"));
    EXPECT_THAT(table, HasSubstr("the server does not tell"));
    EXPECT_THAT(table, HasSubstr("1 requests were sent more than 10 ms after their time, by 300 ms"));
    EXPECT_THAT(table, HasSubstr("without a Retry-After that makes sense: 1"));
    EXPECT_THAT(table, Not(HasSubstr("secret")));
    EXPECT_THAT(report_table(summarize({}, load()), load()), HasSubstr("0 requests"));
}

TEST(Report, JsonGoesThroughCompare) {
    const ResultFile slow = file_of(run_of(20), load());
    EXPECT_EQ(slow.machine, "Test CPU");
    ASSERT_EQ(slow.results.size(), 11u) << "four times with their p99, three rates";
    EXPECT_EQ(slow.results[0].name, "serve chat, concurrency 4, 128 -> 64 tokens: time to first token");
    EXPECT_EQ(slow.results[0].samples.front(), 50e6);
    LoadOptions other = load();
    other.label = "another";
    const Comparison same = compare(slow, slow), faster = compare(slow, file_of(run_of(10), other, "b.json"));
    EXPECT_EQ(same.faster + same.slower, 0);
    EXPECT_EQ(faster.slower, 0);
    EXPECT_EQ(faster.faster, 3) << "time a token, between chunks, whole answer; one sample alone proves nothing";
    EXPECT_THAT(faster.text, HasSubstr("22.00 t/s ["));
    EXPECT_THAT(faster.text, HasSubstr("2.00 req/s ["));
    EXPECT_THAT(faster.text, HasSubstr("a server against another"));
}

TEST(Report, JsonHoldsNoSecretsAndAsManySamplesAsAreRead) {
    const std::string text = report_json(summarize(run_of(20, 500), load()), load(), {.machine = "", .time = ""});
    EXPECT_THAT(text, Not(HasSubstr("secret-key")));
    EXPECT_THAT(text, Not(HasSubstr("hidden")));
    const auto json = nlohmann::json::parse(text);
    EXPECT_EQ(json.at("itl_ms").at("count"), 5000);
    EXPECT_EQ(json.at("itl_ms").at("samples").size(), size_t{kMostSamples});
    EXPECT_EQ(json.at("counts").at("answered"), 500);
    EXPECT_NO_THROW(parse_results(text, "a.json"));
}

TEST(Report, ARunWithoutAnswersHasNothingToCompare) {
    RunResult run;
    run.outcomes.push_back(failure(Ending::kNotConnected, 0, "nobody"));
    EXPECT_THROW(file_of(run, load()), Error);
}

}  // namespace
}  // namespace hearth::perf
