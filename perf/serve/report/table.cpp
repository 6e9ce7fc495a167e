#include <algorithm>

#include "base/text.h"
#include "perf/serve/report/report.h"

namespace hearth::perf {

namespace {

std::string column(std::string text, size_t width) { return text.size() < width ? std::string(width - text.size(), ' ') + text : text; }

std::string spread_line(std::string_view name, const std::vector<double>& values, int decimals = 1) {
    const Spread spread = spread_of(values);
    std::string out = cat("  ", name, std::string(name.size() < 34 ? 34 - name.size() : 0, ' '));
    if (spread.count == 0) return out + "        -\n";
    for (const double value : {spread.mean, spread.median, spread.p90, spread.p99, spread.most}) out += column(fixed(value, decimals), 10);
    return out + "\n";
}

std::string percent(double part, double whole) { return whole > 0 ? cat(fixed(100 * part / whole, 1), " %") : "-"; }

std::string count_lines(const Summary& summary) {
    std::string out = cat(summary.sent, " requests in ", fixed(summary.seconds, 2), " s (ended by: ", summary.stopped_by, "): ");
    std::vector<std::string> endings, statuses;
    for (const auto& [ending, count] : summary.endings) endings.push_back(cat(count, " ", name_of(ending)));
    for (const auto& [status, count] : summary.statuses) statuses.push_back(cat(status == 0 ? "none" : cat(status), " x ", count));
    out += cat(join(endings, ", "), "\nstatuses: ", join(statuses, ", "), "\n");
    for (const Failure& failure : summary.failures) {
        out += cat("  ", failure.count, " x ", name_of(failure.ending), failure.status > 0 ? cat(" (", failure.status, ")") : "",
                   failure.message.empty() ? "" : ": " + failure.message, "\n");
    }
    return out;
}

std::string refusal_lines(const Summary& summary) {
    if (summary.refusal_ms.empty()) return "";
    std::string out = spread_line("refused after, ms", summary.refusal_ms);
    if (!summary.retry_after_s.empty()) out += spread_line("Retry-After, s", summary.retry_after_s, 0);
    if (summary.without_retry_after > 0)
        out += cat("  refusals without a Retry-After that makes sense: ", summary.without_retry_after, "\n");
    return out;
}

std::string rate_lines(const Summary& summary, const LoadOptions& options) {
    std::string out = cat("  answered requests a second: ", fixed(summary.requests_per_second, 3),
                          "\n  answer tokens a second:     ", fixed(summary.output_tokens_per_second, 2),
                          "\n  prompt tokens a second:     ", fixed(summary.prompt_tokens_per_second, 2), "\n");
    if (options.ttft_limit > 0 || options.itl_limit > 0) {
        std::vector<std::string> limits;
        if (options.ttft_limit > 0) limits.push_back(cat("first token by ", options.ttft_limit, " ms"));
        if (options.itl_limit > 0) limits.push_back(cat("then ", options.itl_limit, " ms a token"));
        out += cat("  goodput (", join(limits, ", "), "): ", fixed(summary.goodput, 3), " requests a second, ",
                   percent(static_cast<double>(summary.good), static_cast<double>(summary.sent)), " of those sent\n");
    }
    return out;
}

std::string notes(const Summary& summary, const LoadOptions& options) {
    std::string out;
    if (summary.told_cached > 0) {
        out += cat("prefix cache: ", summary.prefix_hits, " of ", summary.told_cached, " requests hit, ",
                   percent(summary.cached_tokens, summary.cached_of_tokens), " of their prompt tokens\n");
    } else if (summary.answered > 0) {
        out += "prefix cache: the server does not tell\n";
    }
    if (summary.counted_by_chunks > 0)
        out += cat("tokens of ", summary.counted_by_chunks, " answers are counted chunks: the server sent no usage\n");
    if (summary.without_text > 0) out += cat(summary.without_text, " answers had no token\n");
    if (summary.late > 0)
        out += cat(summary.late, " requests were sent more than 10 ms after their time, by ", fixed(summary.latest_ms, 0),
                   " ms at most: the load was less than planned\n");
    if (options.warmup > 0) out += cat(options.warmup, " requests of warming up are not counted\n");
    return out;
}

}  // namespace

std::string report_table(const Summary& summary, const LoadOptions& options) {
    std::string out = cat(options.label.empty() ? "" : options.label + ": ", printable(options.url, 200), ", ", describe_load(options),
                          "\n", count_lines(summary), "\n", std::string(36, ' '));
    for (const char* name : {"mean", "median", "p90", "p99", "most"}) out += column(name, 10);
    out += cat("\n", spread_line("time to first token, ms", summary.ttft_ms), spread_line("between chunks (ITL), ms", summary.itl_ms, 2),
               spread_line("a token, mean of each answer, ms", summary.per_token_ms, 2), spread_line("whole answer, ms", summary.whole_ms),
               refusal_lines(summary), "\n", rate_lines(summary, options), "\n", notes(summary, options));
    return out;
}

}  // namespace hearth::perf
