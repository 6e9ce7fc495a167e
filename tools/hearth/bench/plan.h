// Which tests the options of `hearth bench` ask for.
#pragma once

#include <string>
#include <vector>

#include "tools/hearth/bench/measure.h"

namespace hearth::tool {

/// Values as they stand on the command line: lists of whole numbers and ranges, as llama-bench takes them. "512,1024"; "512-2048*2" is
/// 512,1024,2048; "0-96+32" is 0,32,64,96; "1-4" is 1,2,3,4.
struct BenchSweep {
    std::string prompts = "512", generates = "128", pairs, depths = "0", batches, sequences = "1", threads, caches;
    // batches: "" is 512; threads: "" is one for each physical core; caches: "" is bf16
};

constexpr int64_t kMostTests = 10000;

/// A list as above; `option` is named in the UsageError.
std::vector<int64_t> whole_numbers(const std::string& option, const std::string& text, int64_t least);

/// The types that the cache is timed with, by their names; bf16 where none is given. Throws UsageError.
std::vector<DType> cache_dtypes(const std::string& names);

/// Every prompt, answer and pair with every depth, batch and number of sequences.
/// Throws UsageError: not such a list, no test left, or more than kMostTests.
std::vector<BenchTest> plan_tests(const BenchSweep& sweep);

}  // namespace hearth::tool
