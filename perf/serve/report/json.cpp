#include <nlohmann/json.hpp>

#include "base/text.h"
#include "perf/results/results.h"
#include "perf/serve/report/report.h"

namespace hearth::perf {

namespace {

using Ordered = nlohmann::ordered_json;

Ordered spread_json(const std::vector<double>& values) {
    const Spread spread = spread_of(values);
    return {{"count", spread.count}, {"mean", spread.mean},   {"median", spread.median}, {"p90", spread.p90},
            {"p99", spread.p99},     {"least", spread.least}, {"most", spread.most},     {"samples", thinned(values, kMostSamples)}};
}

Ordered load_json(const LoadOptions& options) {
    Ordered out = {{"describes", describe_load(options)},
                   {"url", printable(options.url, 200)},
                   {"api", options.api == Api::kChat ? "chat" : "completions"},
                   {"model", options.model},
                   {"rate", options.rate},
                   {"burstiness", options.burstiness},
                   {"concurrency", options.concurrency},
                   {"requests", options.requests},
                   {"seconds", options.seconds},
                   {"timeout", options.timeout},
                   {"warmup", options.warmup},
                   {"prompts", options.prompts},
                   {"prompt_tokens", {options.prompt_words.low, options.prompt_words.high}},
                   {"answer_tokens", {options.answer_tokens.low, options.answer_tokens.high}},
                   {"shared_prefix", options.shared_prefix},
                   {"prefix_groups", options.prefix_groups},
                   {"turns", options.turns},
                   {"seed", options.seed},
                   {"ignore_eos", options.ignore_eos},
                   {"ttft_limit_ms", options.ttft_limit},
                   {"itl_limit_ms", options.itl_limit}};
    out["temperature"] = options.temperature ? Ordered(*options.temperature) : Ordered(nullptr);
    out["sampling_seed"] = options.sampling_seed ? Ordered(*options.sampling_seed) : Ordered(nullptr);
    return out;
}

Ordered failures_json(const Summary& summary) {
    Ordered out = Ordered::array();
    for (const Failure& failure : summary.failures) {
        out.push_back(
            {{"ending", name_of(failure.ending)}, {"status", failure.status}, {"message", failure.message}, {"count", failure.count}});
    }
    return out;
}

Ordered counts_json(const Summary& summary) {
    Ordered out = {{"sent", summary.sent}};
    for (const Ending ending : kEndings) {
        const auto at = summary.endings.find(ending);
        out[std::string(name_of(ending))] = at == summary.endings.end() ? 0 : at->second;
    }
    out["answered_without_text"] = summary.without_text;
    out["counted_by_chunks"] = summary.counted_by_chunks;
    out["late"] = summary.late;
    return out;
}

}  // namespace

std::string report_json(const Summary& summary, const LoadOptions& options, const RunPlace& place) {
    Ordered statuses = Ordered::object();
    for (const auto& [status, count] : summary.statuses) statuses[std::to_string(status)] = count;
    const double sent = static_cast<double>(summary.sent);
    const Ordered out = {{"program", "perf_serve"},
                         {"cpu_info", place.machine},
                         {"test_time", place.time},
                         {"label", options.label},
                         {"load", load_json(options)},
                         {"seconds", summary.seconds},
                         {"stopped_by", summary.stopped_by},
                         {"counts", counts_json(summary)},
                         {"statuses", statuses},
                         {"failures", failures_json(summary)},
                         {"ttft_ms", spread_json(summary.ttft_ms)},
                         {"itl_ms", spread_json(summary.itl_ms)},
                         {"per_token_ms", spread_json(summary.per_token_ms)},
                         {"whole_ms", spread_json(summary.whole_ms)},
                         {"refusal_ms", spread_json(summary.refusal_ms)},
                         {"retry_after_s", spread_json(summary.retry_after_s)},
                         {"without_retry_after", summary.without_retry_after},
                         {"requests_per_s", summary.requests_per_second},
                         {"output_tokens", summary.output_tokens},
                         {"output_tokens_per_s", summary.output_tokens_per_second},
                         {"prompt_tokens", summary.prompt_tokens},
                         {"prompt_tokens_per_s", summary.prompt_tokens_per_second},
                         {"good", summary.good},
                         {"good_share", sent > 0 ? static_cast<double>(summary.good) / sent : 0},
                         {"goodput_per_s", summary.goodput},
                         {"prefix",
                          {{"told", summary.told_cached},
                           {"hits", summary.prefix_hits},
                           {"cached_tokens", summary.cached_tokens},
                           {"token_share", summary.cached_of_tokens > 0 ? summary.cached_tokens / summary.cached_of_tokens : 0}}},
                         {"latest_ms", summary.latest_ms}};
    return out.dump(1, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

}  // namespace hearth::perf
