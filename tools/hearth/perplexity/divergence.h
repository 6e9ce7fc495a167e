// How far what one model expects lies from what another does, token by token and over a text.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hearth::tool {

/// Kullback-Leibler divergence of `other` from `base` in nats: sum of exp(base) * (base - other) over the vocabulary. Both are
/// log-probabilities [V]; summed in double. Never negative: where rounding comes out below, it is 0.
double divergence(std::span<const float> base, std::span<const float> other);

/// The token with the largest log-probability, the first of several.
int32_t likeliest(std::span<const float> log_probabilities);

/// What two models made of one token of the text.
struct TokenComparison {
    double divergence = 0;             // of the second from the first, nats
    double base_nll = 0, own_nll = 0;  // -ln of what the first and the second gave to the token that came
    bool same_top = false;             // both found the same token likeliest
};

/// A mean and its standard error, tokens taken as independent: s / sqrt(n), s the deviation of the sample (n - 1).
struct Mean {
    double value = 0, error = 0;
};

Mean mean_of(std::span<const double> values);

/// Value at `share` (0 to 1) of the way through `sorted`, which rises and is not empty: between two values in proportion. 0.5: the median.
double percentile(std::span<const double> sorted, double share);

/// All tokens of a text.
struct DivergenceSummary {
    int64_t tokens = 0;
    Mean divergence;
    double median = 0, p90 = 0, p99 = 0, largest = 0;
    Mean same_top;    // share of the tokens, 0 to 1
    Mean nll_change;  // second minus first
    double base_nll = 0, own_nll = 0;
};

DivergenceSummary summarize(std::span<const TokenComparison> tokens);

}  // namespace hearth::tool
