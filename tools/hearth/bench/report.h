// What `hearth bench` prints.
#pragma once

#include <functional>
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
    std::string backend, cpu, matmul;        // name of the device; the variant that multiplies the largest weight in this test
    std::string variants;                    // every variant of a decode and a prompt of this test, by name
    std::string forced, quant, keep, order;  // HEARTH_FORCE, --quant, --keep, --order; "" where nothing was said
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
    /// What to say in place of a share that would be above 100 %; "" where there is none.
    std::string note() const;
    std::string_view unit() const;  // that the variant of matmul uses: "AMX bf16"; "" where none of the measured ones
    double unit_peak() const;       // 10^9 operations a second; 0: not measured
};

/// How the rows are written: "md", "csv", "json", "jsonl". Keys and columns of llama-bench, and ours beside them; Markdown has columns for
/// batch and cache where they are not all the default.
struct BenchFormat {
    std::string name;
    bool batch_column = false, cache_column = false;
};

/// One output: what stands before the first row, the rows, and what follows the last. Stage tables follow the main table in Markdown.
class BenchWriter {
public:
    /// `write` takes pieces of text that end with a newline.
    BenchWriter(BenchFormat format, std::function<void(std::string_view)> write);
    void add(const BenchRow& row);
    void end();

private:
    BenchFormat format_;
    std::function<void(std::string_view)> write_;
    bool first_ = true, over_a_limit_ = false;
    std::string stages_;
};

/// Where the time went, a line per stage below a title.
std::string stage_table(const std::string& title, const std::vector<StageTime>& stages);

/// The same of one repetition.
std::string stage_table(const BenchRow& row);

/// "read 21.3 GB/s, AMX bf16 3210 GFLOP/s, ...", for people.
std::string limits_line(const Limits& limits);

}  // namespace hearth::tool
