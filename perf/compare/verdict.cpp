#include "perf/compare/verdict.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace hearth::perf {

namespace {

constexpr double kTail = 0.025;  // of the two-sided 95 %

/// The largest k with P(rank sum statistic < k) <= kTail for samples of n and m from one distribution. Exact for small samples; for large
/// ones by the normal approximation.
int64_t pairs_to_drop(int64_t n, int64_t m) {
    constexpr int64_t kExact = 40;
    const int64_t most = n * m;
    if (n > kExact || m > kExact) {
        const auto pairs = static_cast<double>(most);
        const double sigma = std::sqrt(pairs * static_cast<double>(n + m + 1) / 12);
        return std::max<int64_t>(0, static_cast<int64_t>(pairs / 2 - 1.96 * sigma));
    }
    // ways[j][u]: choices of j ranks, among those looked at so far, whose statistic is u
    std::vector<std::vector<double>> ways(static_cast<size_t>(n + 1), std::vector<double>(static_cast<size_t>(most + 1), 0));
    ways[0][0] = 1;
    double all = 1;
    for (int64_t rank = 0; rank < n + m; ++rank) {
        for (int64_t j = std::min(n, rank + 1); j >= 1; --j) {
            const int64_t below = rank - (j - 1);  // of the other sample, where this rank is the j-th of the first
            for (int64_t u = most; u >= below; --u)
                ways[static_cast<size_t>(j)][static_cast<size_t>(u)] += ways[static_cast<size_t>(j - 1)][static_cast<size_t>(u - below)];
        }
        if (rank < m) all = all * static_cast<double>(n + rank + 1) / static_cast<double>(rank + 1);
    }
    double sum = 0;
    int64_t k = 0;
    while (k <= most && (sum += ways[static_cast<size_t>(n)][static_cast<size_t>(k)]) <= kTail * all) ++k;
    return k;
}

double middle(const std::vector<double>& sorted) {
    const size_t half = sorted.size() / 2;
    return sorted.size() % 2 != 0 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

}  // namespace

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::kSame: return "same";
        case Verdict::kFaster: return "faster";
        case Verdict::kSlower: return "slower";
        case Verdict::kUnclear: break;
    }
    return "unclear";
}

Judgement judge(const std::vector<double>& a, const std::vector<double>& b, double within) {
    constexpr size_t kLeast = 3;
    Judgement out;
    out.high = std::numeric_limits<double>::infinity();
    if (a.empty() || b.empty()) return out;
    std::vector<double> ratios;
    ratios.reserve(a.size() * b.size());
    for (const double y : b) {
        for (const double x : a) ratios.push_back(y / x);
    }
    std::ranges::sort(ratios);
    out.ratio = middle(ratios);
    const int64_t k = pairs_to_drop(std::ssize(a), std::ssize(b));
    if (std::min(a.size(), b.size()) < kLeast || k < 1) return out;
    out.low = ratios[static_cast<size_t>(k - 1)];
    out.high = ratios[ratios.size() - static_cast<size_t>(k)];
    if (out.low >= 1 - within && out.high <= 1 + within) {
        out.verdict = Verdict::kSame;
    } else if (out.low > 1 && out.ratio > 1 + within) {
        out.verdict = Verdict::kFaster;
    } else if (out.high < 1 && out.ratio < 1 - within) {
        out.verdict = Verdict::kSlower;
    }
    return out;
}

}  // namespace hearth::perf
