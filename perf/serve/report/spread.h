// How numbers scatter.
#pragma once

#include <cstdint>
#include <vector>

namespace hearth::perf {

/// The value below which a share `q` (0 to 1) of `sorted` lies: straight lines between neighbours, so that of n values the k-th smallest
/// (from 0) stands for the share k / (n - 1). 0 of no values.
double percentile(const std::vector<double>& sorted, double q);

struct Spread {
    int64_t count = 0;
    double mean = 0, median = 0, p90 = 0, p99 = 0, least = 0, most = 0;
};

Spread spread_of(std::vector<double> values);

/// At most `most` of the values, evenly by rank, with the least and the most among them: what a file keeps of many.
std::vector<double> thinned(std::vector<double> values, int64_t most);

}  // namespace hearth::perf
