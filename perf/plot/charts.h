// The two pictures: a roofline, and speed against the depth of the context.
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

/// What both keep to: larger and smaller numbers are not drawn.
constexpr double kLeastDrawn = 1e-6, kMostDrawn = 1e12;

/// "2026-11-23" of "2026-11-23T07:29:12Z".
std::string day_of(const std::string& date);

}  // namespace hearth::perf
