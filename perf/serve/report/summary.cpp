#include "perf/serve/report/summary.h"

#include <algorithm>
#include <tuple>

namespace hearth::perf {

namespace {

constexpr double kLateMs = 10;

bool is_good(const Outcome& outcome, const LoadOptions& options) {
    if (options.ttft_limit > 0 && !(outcome.first && *outcome.first <= options.ttft_limit)) return false;
    const auto per_token = outcome.per_token();
    return options.itl_limit <= 0 || !per_token || *per_token <= options.itl_limit;
}

void add_answer(const Outcome& outcome, const LoadOptions& options, Summary& out) {
    ++out.answered;
    out.whole_ms.push_back(outcome.whole);
    if (outcome.first) out.ttft_ms.push_back(*outcome.first);
    out.without_text += !outcome.first;
    for (const float gap : outcome.gaps) out.itl_ms.push_back(gap);
    if (const auto per_token = outcome.per_token()) out.per_token_ms.push_back(*per_token);
    out.counted_by_chunks += !outcome.usage.completion;
    out.output_tokens += outcome.tokens();
    out.prompt_tokens += static_cast<double>(outcome.usage.prompt.value_or(0));
    if (outcome.usage.cached && outcome.usage.prompt) {
        ++out.told_cached;
        out.prefix_hits += *outcome.usage.cached > 0;
        out.cached_tokens += static_cast<double>(*outcome.usage.cached);
        out.cached_of_tokens += static_cast<double>(*outcome.usage.prompt);
    }
    out.good += is_good(outcome, options);
}

void add_refusal(const Outcome& outcome, Summary& out) {
    out.refusal_ms.push_back(outcome.whole);
    if (outcome.retry_after) out.retry_after_s.push_back(*outcome.retry_after);
    out.without_retry_after += !outcome.retry_after;
}

std::vector<Failure> failures_of(const std::vector<Outcome>& outcomes) {
    std::map<std::tuple<Ending, int, std::string>, int64_t> kinds;
    std::map<Ending, int64_t> others;
    for (const Outcome& outcome : outcomes) {
        if (outcome.ending == Ending::kAnswered) continue;
        const std::tuple kind(outcome.ending, outcome.status, outcome.message);
        if (kinds.size() < kMostFailureKinds || kinds.contains(kind)) {
            ++kinds[kind];
        } else {
            ++others[outcome.ending];
        }
    }
    std::vector<Failure> out;
    for (const auto& [kind, count] : kinds) out.push_back({std::get<0>(kind), std::get<1>(kind), std::get<2>(kind), count});
    std::ranges::stable_sort(out, std::greater{}, &Failure::count);
    for (const auto& [ending, count] : others) out.push_back({ending, 0, "others", count});
    return out;
}

}  // namespace

Summary summarize(const RunResult& run, const LoadOptions& options) {
    Summary out;
    out.seconds = run.wall_ms / 1000;
    out.stopped_by = run.stopped_by;
    out.sent = std::ssize(run.outcomes);
    for (const Outcome& outcome : run.outcomes) {
        ++out.endings[outcome.ending];
        ++out.statuses[outcome.status];
        out.late += outcome.late > kLateMs;
        out.latest_ms = std::max(out.latest_ms, outcome.late);
        if (outcome.ending == Ending::kAnswered) add_answer(outcome, options, out);
        if (outcome.ending == Ending::kRefused) add_refusal(outcome, out);
    }
    out.failures = failures_of(run.outcomes);
    if (out.seconds > 0) {
        out.requests_per_second = static_cast<double>(out.answered) / out.seconds;
        out.output_tokens_per_second = out.output_tokens / out.seconds;
        out.prompt_tokens_per_second = out.prompt_tokens / out.seconds;
        out.goodput = static_cast<double>(out.good) / out.seconds;
    }
    return out;
}

}  // namespace hearth::perf
