// One run: conversations begun by a plan, turns one after the other, outcomes collected.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "perf/serve/client/outcome.h"
#include "perf/serve/load/load_options.h"

namespace hearth::perf {

struct RunResult {
    std::vector<Outcome> outcomes;  // in the order in which they ended
    double wall_ms = 0;             // from the first request sent to the last that ended
    std::string stopped_by;         // "requests", "seconds", "interrupt" or "memory"
};

/// Gaps between tokens that a run keeps; when there are more it sends nothing new.
constexpr int64_t kMostGaps = 20'000'000;

/// Sends options.warmup requests, then the load, on the calling thread. Where `stop` becomes true, nothing is sent any more, and what is
/// open ends as interrupted. Throws Error: a file of prompts, a URL, no memory.
RunResult run_load(const LoadOptions& options, const std::atomic<bool>& stop);

}  // namespace hearth::perf
