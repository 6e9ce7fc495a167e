// One row at a time, in double: penalties, bias, mask, temperature, top_k, top_p, min_p, then the inverse of the distribution function in
// the order of ids.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/philox.h"
#include "kernels/reference/log_probabilities.h"
#include "kernels/reference/reference.h"
#include "kernels/scratch.h"

namespace hearth {
namespace {

/// One row's scores and an order of its ids, in scratch.
struct Row {
    std::span<double> scores;  // [V]; -infinity: ruled out
    std::span<int32_t> order;  // [V]
};

bool is_numeric(View<const float, 2> logits, int64_t row) {
    bool any = false;
    for (int64_t i = 0; i < logits.extent[1]; ++i) {
        const float x = logits(row, i);
        if (std::isnan(x) || x == INFINITY) return false;
        any |= std::isfinite(x);
    }
    return any;
}

void count(std::span<const int32_t> tokens, std::span<int32_t> counts) {
    std::ranges::fill(counts, 0);
    for (const int32_t id : tokens) ++counts[static_cast<size_t>(id)];
}

/// The repetition penalty is for whatever the history holds; the others are for its last part, the answer.
void penalize(std::span<double> scores, std::span<const int32_t> history, std::span<const int32_t> answer, const SampleParams& p,
              std::span<int32_t> counts) {
    if (p.repetition_penalty != 1) {
        count(history, counts);
        for (size_t i = 0; i < scores.size(); ++i) {
            if (counts[i] == 0) continue;
            scores[i] = scores[i] < 0 ? scores[i] * double{p.repetition_penalty} : scores[i] / double{p.repetition_penalty};
        }
    }
    if (p.frequency_penalty == 0 && p.presence_penalty == 0) return;
    count(answer, counts);
    for (size_t i = 0; i < scores.size(); ++i) {
        if (counts[i] > 0) scores[i] -= counts[i] * double{p.frequency_penalty} + double{p.presence_penalty};
    }
}

void add_bias(const SampleArgs& a, int64_t s, std::span<double> scores) {
    if (!a.bias_starts.data) return;
    for (int64_t i = a.bias_starts(s); i < a.bias_starts(s + 1); ++i)
        scores[static_cast<size_t>(a.bias_ids(i))] += double{a.bias_values(i)};
}

void apply_mask(const SampleArgs& a, int64_t s, std::span<double> scores) {
    if (!a.mask_of.data || a.mask_of(s) < 0) return;
    for (size_t i = 0; i < scores.size(); ++i) {
        const uint32_t word = a.masks(a.mask_of(s), static_cast<int64_t>(i / 32));
        if ((word >> i % 32 & 1) == 0) scores[i] = -INFINITY;
    }
}

/// Scores become probabilities that sum to one.
void softmax(std::span<double> scores) {
    const double largest = *std::ranges::max_element(scores);
    double sum = 0;
    for (double& s : scores) sum += s = std::exp(s - largest);
    for (double& s : scores) s /= sum;
}

void keep_top_k(Row row, int64_t k) {
    if (k <= 0 || k >= std::ssize(row.scores)) return;
    std::iota(row.order.begin(), row.order.end(), 0);
    const auto better = [&](int32_t a, int32_t b) { return row.scores[static_cast<size_t>(a)] > row.scores[static_cast<size_t>(b)]; };
    std::nth_element(row.order.begin(), row.order.begin() + k - 1, row.order.end(), better);
    const double least = row.scores[static_cast<size_t>(row.order[static_cast<size_t>(k - 1)])];
    for (double& s : row.scores) {
        if (s < least) s = -INFINITY;  // equals of the last one stay
    }
}

/// Drops the least likely ids while what was dropped stays within 1 - top_p; among equals the lower ids go first.
void keep_top_p(Row row, double top_p) {
    if (top_p >= 1) return;
    std::iota(row.order.begin(), row.order.end(), 0);
    std::ranges::stable_sort(row.order,
                             [&](int32_t a, int32_t b) { return row.scores[static_cast<size_t>(a)] < row.scores[static_cast<size_t>(b)]; });
    const double largest = row.scores[static_cast<size_t>(row.order.back())];
    double sum = 0;
    for (const double s : row.scores) sum += std::exp(s - largest);
    double dropped = 0;
    for (size_t i = 0; i + 1 < row.order.size(); ++i) {
        double& score = row.scores[static_cast<size_t>(row.order[i])];
        dropped += std::exp(score - largest) / sum;
        if (dropped > 1 - top_p) return;
        score = -INFINITY;
    }
}

void keep_min_p(std::span<double> scores, double min_p) {
    if (min_p <= 0) return;
    const double largest = *std::ranges::max_element(scores);
    for (double& s : scores) {
        if (std::exp(s - largest) < min_p) s = -INFINITY;
    }
}

int32_t draw(std::span<const double> probabilities, double uniform) {
    double sum = 0;
    int32_t last = -1;
    for (size_t i = 0; i < probabilities.size(); ++i) {
        if (probabilities[i] <= 0) continue;
        sum += probabilities[i];
        last = static_cast<int32_t>(i);
        if (uniform < sum) return last;
    }
    return last;  // rounding kept the sum below the number drawn
}

/// The token of a row of numbers, given or drawn, -1 where bias and mask leave none; the scores become probabilities.
int32_t sample_row(const SampleArgs& a, int64_t s, Row row) {
    const SampleParams& p = a.params(s);
    const auto begin = static_cast<size_t>(a.history_starts(s)), end = static_cast<size_t>(a.history_starts(s + 1)),
               answer = static_cast<size_t>(a.answer_starts(s));
    for (size_t i = 0; i < row.scores.size(); ++i) row.scores[i] = a.logits(s, static_cast<int64_t>(i));
    penalize(row.scores, {a.history.data + begin, end - begin}, {a.history.data + answer, end - answer}, p, row.order);
    add_bias(a, s, row.scores);
    apply_mask(a, s, row.scores);
    if (std::ranges::none_of(row.scores, [](double x) { return std::isfinite(x); })) return -1;
    const int32_t given = a.given.data ? a.given(s) : -1;
    if (p.temperature <= 0) {
        const auto best = std::ranges::max_element(row.scores) - row.scores.begin();
        std::ranges::fill(row.scores, 0.0);
        row.scores[static_cast<size_t>(best)] = 1;
        return given >= 0 ? given : static_cast<int32_t>(best);
    }
    for (double& x : row.scores) x /= double{p.temperature};
    keep_top_k(row, p.top_k);
    keep_top_p(row, p.top_p);
    keep_min_p(row.scores, p.min_p);
    softmax(row.scores);
    return given >= 0 ? given : draw(row.scores, uniform_at(p.seed, a.positions(s)));
}

void run(const SampleArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    const int64_t vocab = a.logits.extent[1];
    const Row row{{scratch.take<double>(vocab), static_cast<size_t>(vocab)}, {scratch.take<int32_t>(vocab), static_cast<size_t>(vocab)}};
    for (int64_t s = 0; s < a.logits.extent[0]; ++s) {
        const int32_t id = a.ids(s) = is_numeric(a.logits, s) ? sample_row(a, s, row) : -1;
        reference::write_log_probabilities(a, s, id);
        if (!a.probabilities.data) continue;
        for (int64_t i = 0; i < vocab; ++i) a.probabilities(s, i) = id >= 0 ? static_cast<float>(row.scores[static_cast<size_t>(i)]) : 0;
    }
}

size_t workspace(const SampleArgs& a, const Device&) {
    return scratch_bytes<double>(a.logits.extent[1]) + scratch_bytes<int32_t>(a.logits.extent[1]);
}

}  // namespace

const Variant<SampleArgs> kSampleReference{"sample/reference", [](const SampleArgs&, const Device&) { return true; }, workspace, run};

}  // namespace hearth
