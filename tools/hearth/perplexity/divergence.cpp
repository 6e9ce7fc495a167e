#include "tools/hearth/perplexity/divergence.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hearth::tool {

double divergence(std::span<const float> base, std::span<const float> other) {
    HEARTH_CHECK(base.size() == other.size());
    double sum = 0;
    for (size_t i = 0; i < base.size(); ++i) sum += std::exp(double{base[i]}) * (double{base[i]} - double{other[i]});
    return std::max(sum, 0.0);
}

int32_t likeliest(std::span<const float> log_probabilities) {
    return static_cast<int32_t>(std::ranges::max_element(log_probabilities) - log_probabilities.begin());
}

Mean mean_of(std::span<const double> values) {
    if (values.empty()) return {};
    const auto count = static_cast<double>(values.size());
    double sum = 0, squares = 0;
    for (const double v : values) sum += v;
    const double mean = sum / count;
    for (const double v : values) squares += (v - mean) * (v - mean);
    return {mean, values.size() < 2 ? 0 : std::sqrt(squares / (count - 1) / count)};
}

double percentile(std::span<const double> sorted, double share) {
    HEARTH_CHECK(!sorted.empty() && share >= 0 && share <= 1);
    const double place = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(place);
    const double part = place - static_cast<double>(below);
    return part == 0 ? sorted[below] : sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

DivergenceSummary summarize(std::span<const TokenComparison> tokens) {
    DivergenceSummary out;
    out.tokens = static_cast<int64_t>(tokens.size());
    if (tokens.empty()) return out;
    const auto each = [&](auto&& value) {
        std::vector<double> values;
        for (const TokenComparison& token : tokens) values.push_back(value(token));
        return values;
    };
    std::vector<double> divergences = each([](const auto& t) { return t.divergence; });
    out.divergence = mean_of(divergences);
    std::ranges::sort(divergences);
    out.median = percentile(divergences, 0.5);
    out.p90 = percentile(divergences, 0.9);
    out.p99 = percentile(divergences, 0.99);
    out.largest = divergences.back();
    out.same_top = mean_of(each([](const auto& t) { return t.same_top ? 1.0 : 0.0; }));
    out.nll_change = mean_of(each([](const auto& t) { return t.own_nll - t.base_nll; }));
    out.base_nll = mean_of(each([](const auto& t) { return t.base_nll; })).value;
    out.own_nll = mean_of(each([](const auto& t) { return t.own_nll; })).value;
    return out;
}

}  // namespace hearth::tool
