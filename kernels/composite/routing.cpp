#include "kernels/composite/routing.h"

#include <algorithm>
#include <cmath>

namespace hearth {

void route(const float* logits, int64_t experts, int64_t top_k, bool renormalize, int32_t* ids, float* probabilities) noexcept {
    const auto taken = [&](int64_t count, int64_t e) { return std::find(ids, ids + count, static_cast<int32_t>(e)) != ids + count; };
    for (int64_t i = 0; i < top_k; ++i) {
        int64_t best = -1;
        for (int64_t e = 0; e < experts; ++e) {
            if (!taken(i, e) && (best < 0 || logits[e] > logits[best])) best = e;
        }
        ids[i] = static_cast<int32_t>(best);
    }
    const float largest = logits[ids[0]];
    float sum = 0;
    for (int64_t i = 0; i < top_k; ++i) sum += probabilities[i] = std::exp(logits[ids[i]] - largest);
    if (!renormalize) {
        sum = 0;
        for (int64_t e = 0; e < experts; ++e) sum += std::exp(logits[e] - largest);
    }
    for (int64_t i = 0; i < top_k; ++i) probabilities[i] /= sum;
}

}  // namespace hearth
