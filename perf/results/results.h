// Files of measurements: what `hearth bench -o json`, llama-bench, perf/peers, perf_serve and Google Benchmark write.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace hearth::perf {

/// One variant of a stage within a test, from --profile.
struct Stage {
    std::string variant;  // "gate_up/composite"
    double seconds = 0, bytes = 0, flops = 0;
};

/// What the machine can do at most, as the run that wrote the file measured it. 0: not measured, or there is no such unit.
struct Ceilings {
    double read_gbps = 0;
    double fma_f32 = 0, dot_bf16 = 0, dot_int8 = 0, amx_bf16 = 0, amx_int8 = 0;  // 10^9 operations a second
};

/// One thing that was timed.
struct Result {
    std::string name;             // all that identifies it, in one line: "llama 1.10B q4, 2 threads, tg64 @ d3500"
    std::vector<double> samples;  // positive and finite; at least one
    bool is_rate = true;          // tokens a second: more is better; else nanoseconds of one run: less is better
    std::string unit = "t/s";     // of a rate

    // of a whole model; empty and 0 otherwise
    std::string engine, weights;  // "hearth", "ik"; "q4"
    int64_t prompt = 0, generate = 0, depth = 0, parallel = 1, threads = 0;
    std::string setup;        // what may differ between two runs of one test: "cpu:amx, cache bf16"
    std::string greedy_hash;  // of the tokens that the model chose
    std::vector<Stage> stages;
    Ceilings ceilings;
};

/// One run of perf_serve, as a plot needs it.
struct ServePoint {
    std::string label;     // who answered
    bool by_rate = false;  // `load` is conversations begun a second; else conversations at once
    double load = 0;
    double ttft_median_ms = 0, ttft_p90_ms = 0, ttft_p99_ms = 0;  // to the first token; 0 where nothing was answered
    double output_tokens_per_second = 0;
};

struct ResultFile {
    std::string path;
    std::string machine;  // processor's name; of Google Benchmark's file without our context: host and processors
    std::string date;     // as it stands in the file
    std::vector<Result> results;
    std::optional<ServePoint> serve;  // of a file of perf_serve
};

constexpr int64_t kMostFileBytes = int64_t{64} << 20;
constexpr int64_t kMostSamples = 2000;  // of one result

/// Reads any of these kinds of file. Throws Error naming the file and the place: not JSON, none of these kinds, a number that is none, two
/// results of one name, a benchmark that ended with an error.
ResultFile read_results(const std::filesystem::path& path);

/// The same from text; `name` stands for the file in errors.
ResultFile parse_results(const std::string& text, const std::string& name);

/// Several runs of the same tests as one: a sample for each run, its median, because two runs of a program differ by more (memory layout,
/// the minute) than repetitions within one show. One file is itself. Throws Error: another machine; a test that not all have.
ResultFile merge_runs(std::vector<ResultFile> runs);

double median(std::vector<double> values);

}  // namespace hearth::perf
