#include "runtime/speculate/draft_length.h"

namespace hearth {

int64_t best_draft_length(double rate, int64_t most, int64_t others, const StepCost& cost, double draft_ms) {
    constexpr double kMargin = 1.03;  // what is gained must be more than what is not known exactly
    const double alone_ms = cost.decode_ms(others + 1);
    if (alone_ms <= 0) return 0;
    double tokens = 1, next = rate;  // of this sequence
    double best = (static_cast<double>(others) + tokens) / alone_ms * kMargin;
    int64_t length = 0;
    for (int64_t k = 1; k <= most; ++k) {
        tokens += next;
        next *= rate;
        const double ms = cost.decode_ms(others + 1 + k) + draft_ms * static_cast<double>(k);
        const double speed = (static_cast<double>(others) + tokens) / ms;
        if (speed > best) {
            best = speed;
            length = k;
        }
    }
    return length;
}

}  // namespace hearth
