#include "tools/hearth/bench/report.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "kernels/units.h"
#include "runtime/kv_cache.h"
#include "tools/hearth/support/terminal.h"

namespace hearth::tool {

namespace {

double seconds(const BenchResult& result) {
    std::vector<double> all;
    for (const int64_t ns : result.samples_ns) all.push_back(static_cast<double>(ns) * 1e-9);
    return median(all);
}

std::optional<double> share(double part, double whole) {
    if (whole <= 0 || part > whole) return std::nullopt;
    return part / whole;
}

std::string percent(std::optional<double> value) { return value ? cat(fixed(100 * *value, 1), " %") : "-"; }

std::string rate_text(const BenchRow& row) {
    const auto rates = row.result.rates();
    return cat(fixed(mean(rates), 2), " ± ", fixed(deviation(rates), 2));
}

nlohmann::ordered_json optional_json(std::optional<double> value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json limits_json(const Limits& limits) {
    return {
        {"read_gbps", limits.read_gbps_all()},       {"read_buffer_bytes", limits.buffer_bytes},  {"past_the_cache", limits.past_the_cache},
        {"fma_f32_gflops", limits.fma_f32_gflops},   {"dot_bf16_gflops", limits.dot_bf16_gflops}, {"dot_int8_gops", limits.dot_int8_gops},
        {"amx_bf16_gflops", limits.amx_bf16_gflops}, {"amx_int8_gops", limits.amx_int8_gops},     {"barrier_us", limits.barrier_us}};
}

nlohmann::ordered_json as_json(const BenchRow& row) {
    const BenchTest& test = row.result.test;
    const auto rates = row.result.rates();
    std::vector<double> ns;
    for (const int64_t n : row.result.samples_ns) ns.push_back(static_cast<double>(n));
    nlohmann::ordered_json out = {
        {"build_commit", "hearth " HEARTH_VERSION},
        {"build_number", 0},
        {"cpu_info", row.cpu},
        {"gpu_info", ""},
        {"backends", row.backend},
        {"model_filename", row.model_file},
        {"model_type", row.model_type},
        {"model_size", row.model_bytes},
        {"model_n_params", row.parameters},
        {"n_batch", test.batch},
        {"n_ubatch", test.batch},
        {"n_threads", row.threads},
        {"type_k", std::string(cache_type_name(row.cache_dtype))},
        {"type_v", std::string(cache_type_name(row.cache_dtype))},
        {"n_gpu_layers", 0},
        {"flash_attn", true},
        {"n_prompt", test.prompt},
        {"n_gen", test.generate},
        {"n_depth", test.depth},
        {"n_parallel", test.sequences},
        {"test_time", row.time},
        {"avg_ns", static_cast<int64_t>(mean(ns))},
        {"stddev_ns", static_cast<int64_t>(deviation(ns))},
        {"avg_ts", mean(rates)},
        {"stddev_ts", deviation(rates)},
        {"median_ts", median(rates)},
        {"samples_ns", row.result.samples_ns},
        {"samples_ts", rates},
        {"gbps", row.gbps()},
        {"pct_bw_measured", optional_json(row.bandwidth_share() ? std::optional(100 * *row.bandwidth_share()) : std::nullopt)},
        {"gflops", row.gflops()},
        {"pct_peak_measured", optional_json(row.peak_share() ? std::optional(100 * *row.peak_share()) : std::nullopt)},
        {"peak_unit", std::string(row.unit())},
        {"kernel", row.matmul},
        {"greedy_hash", row.greedy_hash},
    };
    if (row.limits) {
        out["read_gbps_measured"] = row.limits->read_gbps_all();
        out["peak_gflops_measured"] = row.unit_peak();
        out["limits"] = limits_json(*row.limits);
    }
    for (const StageTime& stage : row.result.stages) {
        out["stages"].push_back({{"row", std::string(stage.row)},
                                 {"calls", stage.calls},
                                 {"seconds", stage.seconds},
                                 {"bytes", stage.bytes},
                                 {"flops", stage.flops}});
    }
    return out;
}

std::string csv_field(const nlohmann::ordered_json& value) {
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + "\"";
}

std::string csv_line(const nlohmann::ordered_json& object, bool names) {
    std::string out;
    for (const auto& [key, value] : object.items()) {
        if (value.is_object() || key == "stages") continue;  // tables of their own
        out += cat(out.empty() ? "" : ",", names ? key : csv_field(value));
    }
    return out + "\n";
}

std::string markdown(const BenchRow& row) {
    return cat("| ", row.model_type, " | ", human_bytes(row.model_bytes), " | ", fixed(static_cast<double>(row.parameters) / 1e9, 2),
               " B | ", row.backend, " | ", row.threads, " | ", row.result.test.name(), " | ", rate_text(row), " | ", fixed(row.gbps(), 1),
               " | ", percent(row.bandwidth_share()), " | ", fixed(row.gflops(), 0), " | ", percent(row.peak_share()), " |\n");
}

}  // namespace

double BenchRow::gbps() const { return result.bytes / seconds(result) * 1e-9; }
double BenchRow::gflops() const { return result.flops / seconds(result) * 1e-9; }

std::string_view BenchRow::unit() const { return name_of(unit_of(matmul)); }
double BenchRow::unit_peak() const { return limits ? peak_of(*limits, unit_of(matmul)) : 0; }

std::optional<double> BenchRow::bandwidth_share() const { return limits ? share(gbps(), limits->read_gbps_all()) : std::nullopt; }
std::optional<double> BenchRow::peak_share() const { return share(gflops(), unit_peak()); }

std::string bench_begin(std::string_view format) {
    if (format == "json") return "[\n";
    if (format == "md")
        return "| model | size | params | backend | threads | test | t/s | GB/s | of bandwidth | GFLOP/s | of peak "
               "|\n|---|---|---|---|---|---|---|---|---|---|---|\n";
    return "";
}

std::string bench_line(std::string_view format, const BenchRow& row, bool first) {
    if (format == "md") return markdown(row);
    const nlohmann::ordered_json object = as_json(row);
    if (format == "json") return cat(first ? "" : ",\n", object.dump(2));
    if (format == "jsonl") return object.dump() + "\n";
    return (first ? csv_line(object, true) : "") + csv_line(object, false);
}

std::string bench_end(std::string_view format) { return format == "json" ? "\n]\n" : ""; }

std::string stage_table(const std::string& title, const std::vector<StageTime>& stages) {
    double total = 0;
    for (const StageTime& stage : stages) total += stage.seconds;
    std::string out = cat("\n", title, ": ", fixed(total * 1e3, 2), " ms\n",
                          "| stage | calls | ms | share | GB/s | GFLOP/s |\n|---|---|---|---|---|---|\n");
    for (const StageTime& stage : stages) {
        out += cat("| ", stage.row, " | ", stage.calls, " | ", fixed(stage.seconds * 1e3, 3), " | ", fixed(100 * stage.seconds / total, 1),
                   " % | ", fixed(static_cast<double>(stage.bytes) / stage.seconds * 1e-9, 1), " | ",
                   fixed(static_cast<double>(stage.flops) / stage.seconds * 1e-9, 0), " |\n");
    }
    return out;
}

std::string stage_table(const BenchRow& row) {
    return stage_table(row.result.test.name() + ", one repetition with a clock around each stage", row.result.stages);
}

std::string limits_line(const Limits& limits) {
    std::string out = cat("this machine with ", limits.threads, " threads: reads ", fixed(limits.read_gbps_all(), 1), " GB/s");
    if (!limits.past_the_cache)
        out += cat(" (from a buffer of ", human_bytes(limits.buffer_bytes), ", less than four times its last cache)");
    const auto add = [&](std::string_view unit, double peak) {
        if (peak > 0) out += cat(", ", unit, " ", fixed(peak, 0));
    };
    out += "; 10^9 operations a second";
    add("f32 FMA", limits.fma_f32_gflops);
    add("bf16 dot", limits.dot_bf16_gflops);
    add("int8 dot", limits.dot_int8_gops);
    add("AMX bf16", limits.amx_bf16_gflops);
    add("AMX int8", limits.amx_int8_gops);
    return cat(out, "; barrier ", fixed(limits.barrier_us, 2), " us");
}

}  // namespace hearth::tool
