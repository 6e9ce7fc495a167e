// The pictures: a roofline, speed against the depth of the context, and what a server does under load.
#pragma once

#include <string>
#include <vector>

#include "perf/results/results.h"

namespace hearth::perf {

/// Every stage of every test as a point: operations a byte against 10^9 operations a second, below what the machine's memory and units
/// allow. (Williams, Waterman, Patterson, "Roofline: an insightful visual performance model", 2009.) Stages that compute nothing, or that
/// take less than half a percent of their test, are left out. Throws Error{kBadInput} where `file` has no stages or no limits.
std::string draw_roofline(const ResultFile& file);

/// Tokens a second against tokens in the cache, a line for each engine and weight format: the medians, with least and most. `prompts`: of
/// prompts in place of answers. Throws Error{kBadInput} where the files have no such tests.
std::string draw_depths(const std::vector<ResultFile>& files, bool prompts);

/// Milliseconds to the first token (median, with a whisker to p99) and answer tokens a second, over the rate or the concurrency of runs of
/// perf_serve, a line for each label; of runs with the same label and load the median of each number. Runs that answered nothing are left
/// out. `files` is not empty. Throws Error{kBadInput}: other files, rates beside concurrencies, no answer in any.
std::string draw_serve(const std::vector<ResultFile>& files);

/// What all keep to: larger and smaller numbers are not drawn.
constexpr double kLeastDrawn = 1e-6, kMostDrawn = 1e12;

/// "2026-11-23" of "2026-11-23T07:29:12Z".
std::string day_of(const std::string& date);

}  // namespace hearth::perf
