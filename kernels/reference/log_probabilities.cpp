#include "kernels/reference/log_probabilities.h"

#include <algorithm>
#include <cmath>

namespace hearth::reference {
namespace {

/// The logarithm of the sum of e^(logit - largest) over row s.
double log_sum(View<const float, 2> logits, int64_t s, double largest) {
    double sum = 0;
    for (int64_t i = 0; i < logits.extent[1]; ++i) sum += std::exp(double{logits(s, i)} - largest);
    return std::log(sum);
}

/// The largest logit of row s that comes after `id` in the order of the most likely, or the first of all for -1; -1 where none does.
int32_t next_most_likely(View<const float, 2> logits, int64_t s, int32_t id) {
    int32_t next = -1;
    for (int32_t i = 0; i < logits.extent[1]; ++i) {
        const float x = logits(s, i);
        const bool after = id < 0 || x < logits(s, id) || (x == logits(s, id) && i > id);
        if (after && (next < 0 || x > logits(s, next))) next = i;
    }
    return next;
}

}  // namespace

void write_log_probabilities(const SampleArgs& a, int64_t s, int32_t id) {
    const int32_t wanted = a.wanted.data && id >= 0 ? a.wanted(s) : -1;
    const int32_t first = wanted >= 0 ? next_most_likely(a.logits, s, -1) : -1;
    const double largest = wanted >= 0 ? double{a.logits(s, first)} : 0, sum = wanted >= 0 ? log_sum(a.logits, s, largest) : 0;
    const auto log_probability = [&](int32_t i) { return static_cast<float>(double{a.logits(s, i)} - largest - sum); };
    if (a.log_probabilities.data) a.log_probabilities(s) = wanted >= 0 ? log_probability(id) : NAN;
    if (!a.top_ids.data) return;
    int32_t top = first;
    for (int64_t i = 0; i < a.top_ids.extent[1]; ++i) {
        const bool there = i < wanted && top >= 0;
        a.top_ids(s, i) = there ? top : -1;
        a.top_log_probabilities(s, i) = there ? log_probability(top) : NAN;
        if (there) top = next_most_likely(a.logits, s, top);
    }
}

}  // namespace hearth::reference
