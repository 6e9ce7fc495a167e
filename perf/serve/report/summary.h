// Outcomes as the numbers that are reported.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "perf/serve/report/spread.h"
#include "perf/serve/run.h"

namespace hearth::perf {

/// One kind of failure: its ending, status and message, and how often it came.
struct Failure {
    Ending ending;
    int status = 0;
    std::string message;
    int64_t count = 0;
};

constexpr size_t kMostFailureKinds = 20;  // that are told apart; more go together under "others"

struct Summary {
    double seconds = 0;  // from the first request sent to the last end
    std::string stopped_by;
    int64_t sent = 0, answered = 0;
    std::map<Ending, int64_t> endings;
    std::map<int, int64_t> statuses;  // 0: no status came
    std::vector<Failure> failures;    // most frequent first

    // of answered requests, in milliseconds
    std::vector<double> ttft_ms, itl_ms, per_token_ms, whole_ms;
    int64_t without_text = 0;       // answered without a single token
    int64_t counted_by_chunks = 0;  // answered requests whose server did not say how many tokens it made
    double output_tokens = 0, prompt_tokens = 0;
    double requests_per_second = 0, output_tokens_per_second = 0, prompt_tokens_per_second = 0;

    // of the answered whose server told how many tokens of the prompt it had already
    int64_t told_cached = 0, prefix_hits = 0;
    double cached_tokens = 0, cached_of_tokens = 0;

    // of refusals (429 and 503)
    std::vector<double> refusal_ms, retry_after_s;
    int64_t without_retry_after = 0;

    // by the limits; all answered where there are none
    int64_t good = 0;
    double goodput = 0;  // good requests a second

    int64_t late = 0;  // sent more than 10 ms after the plan of a rate
    double latest_ms = 0;
};

/// Limits are options.ttft_limit and itl_limit; an answer without a token misses the first, one with fewer than two meets the second.
Summary summarize(const RunResult& run, const LoadOptions& options);

}  // namespace hearth::perf
