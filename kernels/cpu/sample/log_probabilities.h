// Log-softmax of a row's logits as they came. A row is summed by one thread in one order, so its bits depend on its logits alone.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <span>

#include "kernels/cpu/sample/doubles.h"
#include "kernels/ops.h"

namespace hearth::cpu {

/// What turns a logit into its log-probability.
template <class V>
struct LogSoftmax {
    double largest = 0, log_sum = 0;  // of e^(logit - largest)

    /// Of scores padded with -infinity to whole vectors, of which `top` is the largest.
    static LogSoftmax of(const double* scores, int64_t count, double top) {
        typename V::D sum = V::set(0.0);
        for (int64_t i = 0; i < count; i += V::kLanes) sum = V::add(sum, exp_negative<V>(V::sub(V::load(scores + i), V::set(top))));
        std::array<double, V::kLanes> lanes;
        V::store(lanes.data(), sum);
        double all = 0;
        for (const double x : lanes) all += x;
        return {top, std::log(all)};
    }
    float operator()(double logit) const { return static_cast<float>(logit - largest - log_sum); }
};

/// The ids of the largest scores to the front of `ids`, the lower id first among equals; as many as there are, at most `most`. Scores are
/// padded with -infinity to whole vectors.
template <class V>
int64_t find_most_likely(const double* scores, int64_t count, int64_t most, int32_t* ids) {
    std::array<double, kMaxTopLogProbabilities> best;
    int64_t found = 0;
    if (most <= 0) return 0;
    double bound = -INFINITY;  // a score below it is none of them
    for (int64_t i = 0; i < count; i += V::kLanes) {
        for (uint32_t lanes = V::at_least(V::load(scores + i), V::set(bound)); lanes; lanes &= lanes - 1) {
            const int64_t id = i + std::countr_zero(lanes);
            if (id >= count) break;
            const double score = scores[id];
            if (found == most && score <= best[static_cast<size_t>(most - 1)]) continue;
            int64_t at = found < most ? found++ : most - 1;
            for (; at > 0 && best[static_cast<size_t>(at - 1)] < score; --at) {
                best[static_cast<size_t>(at)] = best[static_cast<size_t>(at - 1)];
                ids[at] = ids[at - 1];
            }
            best[static_cast<size_t>(at)] = score;
            ids[at] = static_cast<int32_t>(id);
            if (found == most) bound = best[static_cast<size_t>(most - 1)];
        }
    }
    return found;
}

}  // namespace hearth::cpu
