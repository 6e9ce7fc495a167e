#include "tools/hearth/perplexity/report.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

std::string percent(double part, double whole) { return cat(fixed(100 * part / whole, 1), " %"); }

std::string with_error(const Mean& mean, int decimals, double factor = 1) {
    return cat(fixed(factor * mean.value, decimals), " ± ", fixed(factor * mean.error, decimals));
}

std::string shares(const Tally& tally, const Limits& limits) {
    const double gflops = tally.flops / tally.seconds / 1e9, gbps = tally.bytes / tally.seconds / 1e9;
    std::vector<std::string> peaks;
    const auto add = [&](std::string_view unit, double peak) {
        if (peak >= gflops) peaks.push_back(cat(percent(gflops, peak), " of ", unit, "'s ", fixed(peak, 0)));
    };
    add("f32 FMA", limits.fma_f32_gflops);
    add("the bf16 dot", limits.dot_bf16_gflops);
    add("AMX bf16", limits.amx_bf16_gflops);
    std::string out = cat("arithmetic  ", fixed(gflops, 1),
                          " GFLOP/s: ", peaks.empty() ? "more than was measured as the limit just now" : join(peaks, ", "), "\n");
    out += cat("weights     ", fixed(gbps, 2), " GB/s read");
    if (const double limit = limits.read_gbps_all(); limit > 0) {  // from the cache more than the memory's limit is possible
        out += gbps <= limit ? cat(": ", percent(gbps, limit), " of ", fixed(limit, 1))
                             : cat(", from the cache; memory gives ", fixed(limit, 1));
    }
    return out + "\n";
}

std::string divergence_text(const PerplexityReport& report) {
    if (report.kl_written) return cat("KL base     written to ", printable(report.kl_path, 300), "\n");
    if (!report.divergence) return "";
    const DivergenceSummary& d = *report.divergence;
    std::string out = cat("KL base     ", printable(report.kl_path, 300), ", read: ", printable(report.base->model), ", perplexity ",
                          fixed(std::exp(d.base_nll), 4), "\n");
    out += cat("divergence  ", with_error(d.divergence, 6), " nats a token from the base; median ", fixed(d.median, 6), ", 90 % ",
               fixed(d.p90, 6), ", 99 % ", fixed(d.p99, 6), ", largest ", fixed(d.largest, 4), "\n");
    out += cat("same top    ", with_error(d.same_top, 2, 100), " % of tokens have the same likeliest one\n");
    out += cat("NLL change  ", with_error(d.nll_change, 6), " nats a token\n");
    return out;
}

nlohmann::ordered_json divergence_json(const PerplexityReport& report) {
    if (!report.divergence) return {{"file", report.kl_path}, {"action", "written"}};
    const DivergenceSummary& d = *report.divergence;
    return {
        {"file", report.kl_path},
        {"action", "compared"},
        {"base_model", report.base->model},
        {"tokens", d.tokens},
        {"mean_divergence", d.divergence.value},
        {"mean_divergence_error", d.divergence.error},
        {"median_divergence", d.median},
        {"p90_divergence", d.p90},
        {"p99_divergence", d.p99},
        {"largest_divergence", d.largest},
        {"same_top", d.same_top.value},
        {"same_top_error", d.same_top.error},
        {"mean_nll_change", d.nll_change.value},
        {"mean_nll_change_error", d.nll_change.error},
        {"base_mean_nll", d.base_nll},
        {"base_perplexity", std::exp(d.base_nll)},
    };
}

}  // namespace

std::string as_text(const PerplexityReport& report) {
    const Tally& tally = report.tally;
    const double rate = tally.seconds > 0 ? static_cast<double>(tally.scored) / tally.seconds : 0;
    std::string out;
    out += cat("mean NLL    ", fixed(tally.mean(), 5), " nats a token\n");
    out += cat("perplexity  ", fixed(std::exp(tally.mean()), 4), "\n");
    out += cat("tokens      ", grouped(tally.scored), " scored of ", grouped(report.tokens), ", ", tally.windows,
               tally.windows == 1 ? " window" : " windows", " of ", report.windows.context, ", stride ", report.windows.stride,
               report.windows.skip > 0 ? cat(", the first ", report.windows.skip, " of each not scored") : "", "\n");
    out += divergence_text(report);
    out += cat("time        ", fixed(tally.seconds, 2), " s, ", fixed(rate, 1), " scored tokens/s\n");
    if (report.limits && tally.seconds > 0) out += shares(tally, *report.limits);
    return out;
}

std::string as_json(const PerplexityReport& report) {
    const Tally& tally = report.tally;
    nlohmann::ordered_json out = {
        {"mean_nll", tally.mean()},          {"perplexity", std::exp(tally.mean())},
        {"scored_tokens", tally.scored},     {"windows", tally.windows},
        {"context", report.windows.context}, {"stride", report.windows.stride},
        {"skip", report.windows.skip},       {"seconds", tally.seconds},
        {"computed_tokens", tally.computed}, {"least_bytes", tally.bytes},
        {"least_flops", tally.flops},
    };
    if (!report.kl_path.empty()) out["kl_base"] = divergence_json(report);
    if (report.limits) {
        out["limits"] = {{"read_gbps", report.limits->read_gbps_all()},
                         {"fma_f32_gflops", report.limits->fma_f32_gflops},
                         {"dot_bf16_gflops", report.limits->dot_bf16_gflops},
                         {"amx_bf16_gflops", report.limits->amx_bf16_gflops}};
    }
    return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace hearth::tool
