// Whether one set of timings differs from another.
#pragma once

#include <string_view>
#include <vector>

namespace hearth::perf {

enum class Verdict { kSame, kFaster, kSlower, kUnclear };

std::string_view name_of(Verdict verdict);

struct Judgement {
    Verdict verdict = Verdict::kUnclear;
    double ratio = 0;          // speed of b over speed of a: median of all pairs
    double low = 0, high = 0;  // where it lies with 95 % confidence; 0 and infinity where the samples are too few to say
};

/// Compares speeds (more is better) without assuming how they scatter. The ratio is the median of b_i / a_j over all pairs (Hodges and
/// Lehmann, "Estimates of location based on rank tests", 1963, on logarithms), its interval the one that belongs to the exact rank-sum
/// test: the k-th ratio from either end, k as large as the test allows at 95 %. Faster or slower: the interval leaves 1 on one side, and
/// the ratio differs from it by more than `within`; same: all of the interval is within; unclear: neither, or fewer than 3 samples on a
/// side, or so few on both that no interval reaches 95 % (3 and 3).
Judgement judge(const std::vector<double>& a, const std::vector<double>& b, double within);

}  // namespace hearth::perf
