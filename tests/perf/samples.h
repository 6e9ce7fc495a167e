// Files of measurements, made up.
#pragma once

#include <string>

#include "base/text.h"

namespace hearth::perf {

struct Row {
    std::string samples = "[100, 101, 99, 100.5, 99.5]";
    int prompt = 512, generate = 0, depth = 0;
    std::string type = "llama 1.10B q8", more = "";  // more: further members, with a comma before
};

inline std::string bench_row(const Row& row) {
    return cat(
        R"({"build_commit": "hearth 0.1.0", "cpu_info": "Test CPU", "backends": "cpu:amx", "model_filename": "/models/a.json", "model_type": ")",
        row.type, R"(", "n_ubatch": 512, "n_threads": 2, "type_k": "bf16", "n_prompt": )", row.prompt, R"(, "n_gen": )", row.generate,
        R"(, "n_depth": )", row.depth, R"(, "test_time": "2026-11-23T10:00:00Z", "samples_ts": )", row.samples, row.more, "}");
}

inline const char* kGoogle = R"({
  "context": {"date": "2026-11-23T10:00:00+00:00", "host_name": "box", "num_cpus": 2, "cpu": "Test CPU", "hearth_threads": "2"},
  "benchmarks": [
    {"name": "matmul/q_amx/1b/down/q8/1", "run_name": "matmul/q_amx/1b/down/q8/1", "run_type": "iteration", "real_time": 2.0, "time_unit": "ms"},
    {"name": "matmul/q_amx/1b/down/q8/1", "run_name": "matmul/q_amx/1b/down/q8/1", "run_type": "iteration", "real_time": 2100, "time_unit": "us"},
    {"name": "matmul/q_amx/1b/down/q8/1_median", "run_name": "matmul/q_amx/1b/down/q8/1", "run_type": "aggregate", "real_time": 2.0, "time_unit": "ms"}
  ]})";

inline const std::string kStages = R"(, "limits": {"read_gbps": 40, "fma_f32_gflops": 200, "dot_int8_gops": 900, "amx_bf16_gflops": 4000},
  "stages": [{"variant": "qkv/composite", "calls": 2, "seconds": 0.5, "bytes": 10e9, "flops": 20e9},
             {"variant": "attention/avx512", "calls": 2, "seconds": 0.1, "bytes": 1e9, "flops": 30e9},
             {"variant": "embed/avx512", "calls": 1, "seconds": 0.1, "bytes": 1e6, "flops": 0},
             {"variant": "head/composite", "calls": 1, "seconds": 0.0001, "bytes": 1e6, "flops": 1e6}])";

/// What perf_serve writes, as far as it is read.
struct ServeRow {
    std::string label = "hearth", load = R"("rate": 0, "concurrency": 4)";
    double ttft_ms = 50, tokens_per_second = 100;
    std::string samples = "[40, 50, 60]";
};

inline std::string serve_run(const ServeRow& row) {
    const std::string spread = cat(R"({"median": )", row.ttft_ms, R"(, "p90": )", 2 * row.ttft_ms, R"(, "p99": )", 3 * row.ttft_ms,
                                   R"(, "samples": )", row.samples, "}");
    return cat(R"({"program": "perf_serve", "cpu_info": "Test CPU", "test_time": "2026-11-28T10:00:00Z", "label": ")", row.label,
               R"(", "load": {"describes": "chat, 128 -> 64 tokens", "url": "http://127.0.0.1:8080", "model": "", )", row.load,
               R"(}, "ttft_ms": )", spread, R"(, "per_token_ms": )", spread, R"(, "itl_ms": )", spread, R"(, "whole_ms": )", spread,
               R"(, "output_tokens_per_s": )", row.tokens_per_second, R"(, "requests_per_s": 2, "goodput_per_s": 0})");
}

}  // namespace hearth::perf
