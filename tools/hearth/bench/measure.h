// The tests of `hearth bench`: how long steps of a model take. No tokenizer, no sampling, no engine: model, cache and workspace alone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/model.h"
#include "runtime/profile.h"

namespace hearth::tool {

/// One test: `prompt` tokens in chunks of `batch`, then `generate` single steps, both after `depth` tokens that lie in the cache already,
/// for `sequences` sequences at once.
struct BenchTest {
    int64_t prompt = 0, generate = 0, depth = 0, batch = 512, sequences = 1;

    int64_t tokens() const { return (prompt + generate) * sequences; }
    int64_t context() const { return depth + prompt + generate; }
    std::string name() const;  // "pp512", "tg128 @ d4096", "pp512+tg128", "tg128 x 4"
};

/// What it took.
struct BenchResult {
    BenchTest test;
    std::vector<int64_t> samples_ns;  // of each repetition
    double bytes = 0, flops = 0;      // of one repetition, at least: sums of every stage's bytes() and flops()
    std::vector<StageTime> stages;    // of one more repetition with a clock around every stage; empty unless asked for

    std::vector<double> rates() const;  // tokens a second
};

struct BenchRun {
    int64_t repetitions = 5;
    bool warm_up = true, profile = false;
    DType cache_dtype = DType::kBf16;
    std::function<void(int64_t done, int64_t total)> progress;  // after each repetition
};

/// Runs one test on random tokens. The depth is filled once, before the first repetition, and not timed.
BenchResult run_bench(const Model& model, const BenchTest& test, const BenchRun& run);

/// FNV-1a of the ids of 64 greedy tokens after a fixed prompt: the same for the same weights, kernels and order of summation, whatever
/// the threads and the chunks. As 16 hexadecimal digits.
std::string greedy_hash(const Model& model, DType cache_dtype);

double median(std::vector<double> values);
double mean(const std::vector<double>& values);
double deviation(const std::vector<double>& values);  // of a sample: n - 1

}  // namespace hearth::tool
