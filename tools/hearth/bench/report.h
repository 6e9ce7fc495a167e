// What `hearth bench` prints.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/limits.h"
#include "tools/hearth/bench/measure.h"

namespace hearth::tool {

/// One finished test and everything that its line says.
struct BenchRow {
    BenchResult result;
    std::string model_file, model_type;  // "SmolLM2-135M-Instruct", "llama 0.13B bf16"
    int64_t model_bytes = 0, parameters = 0;
    std::string backend, cpu, matmul;  // name of the device; the row that multiplies the largest weight in this test
    int threads = 0;
    DType cache_dtype = DType::kBf16;
    std::string greedy_hash;
    std::optional<Limits> limits;  // of this machine with these threads, measured in this run
    std::string time;              // ISO 8601, UTC

    double gbps() const;
    double gflops() const;
    /// Share of the limit, 0 to 1; nothing where it was not measured, or where more came out than was measured: then what was read came
    /// from the cache, or the machine was disturbed while the limit was taken.
    std::optional<double> bandwidth_share() const;
    std::optional<double> peak_share() const;
    std::string_view unit() const;  // that the matmul row uses: "AMX bf16"; "" where none of the measured ones
    double unit_peak() const;       // 10^9 operations a second; 0: not measured
};

/// "md", "csv", "json", "jsonl": the text before the first row, of each row, and after the last. Keys and columns of llama-bench, and ours
/// beside them.
std::string bench_begin(std::string_view format);
std::string bench_line(std::string_view format, const BenchRow& row, bool first);
std::string bench_end(std::string_view format);

/// Where the time went, a line per stage below a title.
std::string stage_table(const std::string& title, const std::vector<StageTime>& stages);

/// The same of one repetition.
std::string stage_table(const BenchRow& row);

/// "read 21.3 GB/s, AMX bf16 3210 GFLOP/s, ...", for people.
std::string limits_line(const Limits& limits);

}  // namespace hearth::tool
