// What a run of perf_serve is asked to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hearth::perf {

enum class Api { kChat, kCompletions };

/// A whole number drawn uniformly from both ends inclusive.
struct Range {
    int64_t low = 0, high = 0;
};

constexpr int64_t kMostRequests = 100'000;
constexpr int64_t kMostSeconds = 86'400;
constexpr int64_t kMostOpen = 1000;  // requests at once
constexpr int64_t kMostWords = 100'000, kMostAnswerTokens = 100'000;
constexpr int64_t kMostTurns = 64;

/// The values here are the defaults, but for `rate`, `concurrency`, `requests` and `seconds`, of which the command line must give some.
struct LoadOptions {
    // where to
    std::string url = "http://127.0.0.1:8080";  // without a path, or with what stands before /v1
    Api api = Api::kChat;
    std::string model;                 // empty: the field is not sent
    std::vector<std::string> headers;  // "Name: value"
    std::string key;                   // Authorization: Bearer; empty: none

    // how much: one of rate and concurrency is above 0
    double rate = 0, burstiness = 1;   // conversations begun in a second; shape of the gamma distribution of gaps, 1: Poisson
    int64_t concurrency = 0;           // conversations at once
    int64_t requests = kMostRequests;  // at most; each turn is one
    double seconds = 3600;             // no request is sent later
    double timeout = 120;              // seconds for one request
    int64_t warmup = 0;                // requests before, one after the other, that are not counted

    // what
    std::string prompts = "random";  // or a file's name
    Range prompt_words{128, 128}, answer_tokens{64, 64};
    int64_t shared_prefix = 0, prefix_groups = 1;  // words at the start of each conversation; how many different ones
    int64_t turns = 1;
    uint64_t seed = 1;  // of prompts and arrivals
    std::optional<double> temperature;
    std::optional<uint64_t> sampling_seed;
    bool ignore_eos = false;
    bool ask_usage = true;  // stream_options.include_usage

    // what counts as good, in milliseconds; 0: anything
    double ttft_limit = 0, itl_limit = 0;

    // how it is told
    std::string label;
    bool json = false;
};

/// "chat, concurrency 4, 128 -> 64 tokens, 2 turns": what identifies the load, and not who answers it.
std::string describe_load(const LoadOptions& options);

}  // namespace hearth::perf
