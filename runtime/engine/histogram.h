// How often something took how long.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>

namespace hearth {

/// Counts of milliseconds by upper bound, as Prometheus has them. Not thread-safe.
struct Histogram {
    static constexpr double kBounds_ms[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 120000};

    std::array<int64_t, std::size(kBounds_ms) + 1>
        counts{};  // of those at most bound i and above the one before; the last: of all longer ones
    int64_t count = 0;
    double sum_ms = 0;

    void add(double ms) {
        size_t i = 0;
        while (i < std::size(kBounds_ms) && ms > kBounds_ms[i]) ++i;
        ++counts[i];
        ++count;
        sum_ms += ms;
    }

    void add(const Histogram& other) {
        for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
        count += other.count;
        sum_ms += other.sum_ms;
    }
};

}  // namespace hearth
