// When conversations begin where the load is a rate.
#pragma once

#include <cstdint>

#include "perf/serve/load/random.h"

namespace hearth::perf {

/// Times of arrival, one after the other. Gaps are of the gamma distribution with mean 1 / rate and shape `burstiness`: at 1 arrivals are
/// a Poisson process, below they come in bursts, above they are more regular. The same seed gives the same times.
class Arrivals {
public:
    Arrivals(double rate, double burstiness, uint64_t seed) : rate_(rate), burstiness_(burstiness), random_(seed, Stream::kArrivals) {}

    /// Seconds from the start, never less than before. The first is one gap after the start.
    double next() { return at_ += random_.gamma(burstiness_) / burstiness_ / rate_; }

private:
    double rate_, burstiness_, at_ = 0;
    Random random_;
};

}  // namespace hearth::perf
