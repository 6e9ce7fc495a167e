#include "perf/serve/report/spread.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace hearth::perf {

double percentile(const std::vector<double>& sorted, double q) {
    if (sorted.empty()) return 0;
    const double place = q * static_cast<double>(sorted.size() - 1), below = std::floor(place);
    const auto at = static_cast<size_t>(below);
    if (at + 1 >= sorted.size()) return sorted.back();
    return sorted[at] + (place - below) * (sorted[at + 1] - sorted[at]);
}

Spread spread_of(std::vector<double> values) {
    if (values.empty()) return {};
    std::ranges::sort(values);
    const auto count = static_cast<double>(values.size());
    return {.count = std::ssize(values),
            .mean = std::accumulate(values.begin(), values.end(), 0.0) / count,
            .median = percentile(values, 0.5),
            .p90 = percentile(values, 0.9),
            .p99 = percentile(values, 0.99),
            .least = values.front(),
            .most = values.back()};
}

std::vector<double> thinned(std::vector<double> values, int64_t most) {
    HEARTH_CHECK(most >= 2);
    if (std::ssize(values) <= most) return values;
    std::ranges::sort(values);
    std::vector<double> out;
    for (int64_t i = 0; i < most; ++i) out.push_back(values[static_cast<size_t>(i * (std::ssize(values) - 1) / (most - 1))]);
    return out;
}

}  // namespace hearth::perf
