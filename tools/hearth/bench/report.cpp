#include "tools/hearth/bench/report.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "kernels/arithmetic_unit.h"
#include "runtime/kv_cache.h"
#include "tools/hearth/support/build_commit.h"
#include "tools/hearth/terminal/terminal.h"

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

/// Of a limit that was measured, or 0: "-" without one, "over" above it.
std::string percent(std::optional<double> value, double limit) {
    return value ? cat(fixed(100 * *value, 1), " %") : limit > 0 ? "over" : "-";
}

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
        {"build_commit", std::string(build_commit())},
        {"build_number", 0},
        {"engine", "hearth"},
        {"build_version", HEARTH_VERSION},
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
        {"variants", row.variants},
        {"forced", row.forced},
        {"quant", row.quant},
        {"keep", row.keep},
        {"order", row.order},
        {"note", row.note()},
        {"greedy_hash", row.greedy_hash},
    };
    if (row.limits) {
        out["read_gbps_measured"] = row.limits->read_gbps_all();
        out["peak_gflops_measured"] = row.unit_peak();
        out["limits"] = limits_json(*row.limits);
    }
    for (const StageTime& stage : row.result.stages) {
        out["stages"].push_back({{"variant", std::string(stage.variant)},
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

std::string markdown(const BenchRow& row, const BenchFormat& format) {
    const BenchTest& test = row.result.test;
    std::string out = cat("| ", row.model_type, " | ", human_bytes(row.model_bytes), " | ",
                          fixed(static_cast<double>(row.parameters) / 1e9, 2), " B | ", row.backend, " | ", row.threads);
    if (format.batch_column) out += cat(" | ", test.batch);
    if (format.cache_column) out += cat(" | ", cache_type_name(row.cache_dtype));
    return cat(out, " | ", test.name(), " | ", rate_text(row), " | ", fixed(row.gbps(), 1), " | ",
               percent(row.bandwidth_share(), row.limits ? row.limits->read_gbps_all() : 0), " | ", fixed(row.gflops(), 0), " | ",
               percent(row.peak_share(), row.unit_peak()), " |\n");
}

std::string markdown_head(const BenchFormat& format) {
    std::vector<std::string> names{"model", "size", "params", "backend", "threads"};
    if (format.batch_column) names.emplace_back("batch");
    if (format.cache_column) names.emplace_back("cache");
    for (const char* name : {"test", "t/s", "GB/s", "of bandwidth", "GFLOP/s", "of peak"}) names.emplace_back(name);
    std::string out = cat("| ", join(names, " | "), " |\n|");
    for (size_t i = 0; i < names.size(); ++i) out += "---|";
    return out + "\n";
}

}  // namespace

double BenchRow::gbps() const { return result.bytes / seconds(result) * 1e-9; }
double BenchRow::gflops() const { return result.flops / seconds(result) * 1e-9; }

std::string_view BenchRow::unit() const { return name_of(unit_of(matmul)); }
double BenchRow::unit_peak() const { return limits ? peak_of(*limits, unit_of(matmul)) : 0; }

std::optional<double> BenchRow::bandwidth_share() const { return limits ? share(gbps(), limits->read_gbps_all()) : std::nullopt; }
std::optional<double> BenchRow::peak_share() const { return share(gflops(), unit_peak()); }

std::string BenchRow::note() const {
    std::vector<std::string> over;
    if (limits && limits->read_gbps_all() > 0 && !bandwidth_share()) over.emplace_back("bandwidth");
    if (unit_peak() > 0 && !peak_share()) over.emplace_back("peak");
    if (over.empty()) return "";
    return cat("more than the ", join(over, " and the "),
               " measured in this run: what was read came from a cache, or the machine was disturbed while the limit was taken");
}

BenchWriter::BenchWriter(BenchFormat format, std::function<void(std::string_view)> write)
    : format_(std::move(format)), write_(std::move(write)) {
    if (format_.name == "json") write_("[\n");
    if (format_.name == "md") write_(markdown_head(format_));
}

void BenchWriter::add(const BenchRow& row) {
    const bool first = std::exchange(first_, false);
    if (format_.name == "md") {
        over_a_limit_ = over_a_limit_ || !row.note().empty();
        if (!row.result.stages.empty()) stages_ += stage_table(row);
        return write_(markdown(row, format_));
    }
    const nlohmann::ordered_json object = as_json(row);
    if (format_.name == "json") return write_(cat(first ? "" : ",\n", object.dump(2)));
    if (format_.name == "jsonl") return write_(object.dump() + "\n");
    write_((first ? csv_line(object, true) : "") + csv_line(object, false));
}

void BenchWriter::end() {
    if (format_.name == "json") write_(first_ ? "]\n" : "\n]\n");
    if (over_a_limit_)
        write_(
            "\n\"over\": more than the limit measured in this run; what was read came from a cache, or the machine was disturbed while the "
            "limit was taken.\n");
    if (!stages_.empty()) write_(stages_);
}

std::string stage_table(const std::string& title, const std::vector<StageTime>& stages) {
    double total = 0;
    for (const StageTime& stage : stages) total += stage.seconds;
    std::string out = cat("\n", title, ": ", fixed(total * 1e3, 2), " ms\n",
                          "\n| stage | calls | ms | share | GB/s | GFLOP/s |\n|---|---|---|---|---|---|\n");
    for (const StageTime& stage : stages) {
        out += cat("| ", stage.variant, " | ", stage.calls, " | ", fixed(stage.seconds * 1e3, 3), " | ",
                   fixed(100 * stage.seconds / total, 1), " % | ", fixed(static_cast<double>(stage.bytes) / stage.seconds * 1e-9, 1), " | ",
                   fixed(static_cast<double>(stage.flops) / stage.seconds * 1e-9, 0), " |\n");
    }
    return out;
}

std::string stage_table(const BenchRow& row) {
    return cat(stage_table(row.result.test.name() + ", one repetition with a clock around each stage", row.result.stages),
               "\nKernels: ", row.variants, "\n");
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
