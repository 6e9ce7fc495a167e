// Random numbers that a seed fixes on every machine and with every library.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "kernels/philox.h"

namespace hearth::perf {

/// Which of a run's streams of random numbers: each is independent of the others.
enum class Stream : uint32_t { kArrivals = 1, kPrefix, kPrompt, kLength };

/// A stream of draws that depends on (seed, stream, index) alone.
class Random {
public:
    Random(uint64_t seed, Stream stream, uint64_t index = 0) {
        const auto mixed = philox4x32({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), static_cast<uint32_t>(stream), 1},
                                      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
        key_ = uint64_t{mixed[0]} << 32 | mixed[1];
    }

    double uniform() { return uniform_at(key_, position_++); }  // [0, 1)

    /// low to high, both included; low <= high.
    int64_t whole(int64_t low, int64_t high) { return low + static_cast<int64_t>(uniform() * static_cast<double>(high - low + 1)); }

    double normal() {  // Box and Muller
        const double radius = std::sqrt(-2 * std::log(1 - uniform()));
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }

    /// Of the gamma distribution with mean `shape`: Marsaglia and Tsang, "A simple method for generating gamma variables", 2000.
    double gamma(double shape) {
        if (shape < 1) return gamma(shape + 1) * std::pow(1 - uniform(), 1 / shape);
        const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
        for (;;) {
            const double x = normal(), v = std::pow(1 + c * x, 3);
            if (v <= 0) continue;
            if (std::log(1 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
        }
    }

private:
    uint64_t key_ = 0;
    int64_t position_ = 0;
};

}  // namespace hearth::perf
