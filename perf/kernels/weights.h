// Weights of random numbers, in as many copies as keep them out of the caches.
#pragma once

#include <optional>
#include <vector>

#include "perf/kernels/bench.h"

namespace hearth::perf {

struct Format {
    const char* name;
    std::optional<QuantKind> quantize;  // none: bf16
};

inline constexpr Format kFormats[] = {{"bf16", std::nullopt}, {"q8", QuantKind::kQ8}, {"q4", QuantKind::kQ4}};

/// Where weights lie when a run begins: "hot" the same ones each time, as near as they fit; "cold" in memory.
struct Warmth {
    const char* name;
    bool cold;
};

inline constexpr Warmth kWarmths[] = {{"cold", true}, {"hot", false}};

/// The layout of a weight with nothing behind it, for asking variants whether they support it.
Weight planned(const Bench& bench, const Format& format, int64_t n, int64_t k);

/// One weight, several times.
class Copies {
public:
    /// `bytes`: of all copies together, at least; one copy at least `least` times.
    Copies(const Bench& bench, const Format& format, int64_t n, int64_t k, int64_t bytes, int64_t least, uint32_t seed);

    const Weight& next() { return weights_[at_++ % weights_.size()]; }

private:
    std::vector<DeviceBytes> storage_;
    std::vector<Weight> weights_;
    size_t at_ = 0;
};

}  // namespace hearth::perf
