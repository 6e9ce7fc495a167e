// The next token of one row: the same distribution and draw as the reference, without sorting the vocabulary.
//
// Greedy: one pass. top_k: the score of rank k is bracketed by counting passes, then found among the few that remain. top_p: exponentials
// are summed into bins by score; whole bins are dropped from below, and only those from the bin where the limit falls are sorted.
#pragma once

#include <functional>

#include "kernels/cpu/sample/log_probabilities.h"
#include "kernels/cpu/sample/row.h"
#include "kernels/cpu/sample/scores.h"
#include "kernels/philox.h"

namespace hearth::cpu {

/// One row of logits on its way to a token.
template <class V>
class Sampling : Scores<V> {
    using Base = Scores<V>;
    using D = typename V::D;
    using Base::count_, Base::counts_, Base::ids_, Base::scores_, Base::weights_;
    using Base::count_at_least, Base::keep, Base::keep_at_least, Base::largest;

public:
    using Base::Base;

    /// The token, or -1; what else the row asks for is written.
    int32_t run(const SampleRow& row) {
        if (row.probabilities) std::fill_n(row.probabilities, row.vocab, 0.0f);
        if (!Base::read(row.logits, row.vocab)) return leave(row), -1;
        LogSoftmax<V> log_softmax;
        if (row.wanted >= 0) {  // before the scores become others
            log_softmax = LogSoftmax<V>::of(scores_, count_, largest());
            write_top(row, log_softmax);
        }
        const int32_t id = token(row);
        if (id < 0 || row.wanted < 0) return leave(row), id;
        if (row.log_probability) *row.log_probability = log_softmax(double{row.logits[id]});
        return id;
    }

private:
    /// No log-probabilities.
    static void leave(const SampleRow& row) {
        if (row.log_probability) *row.log_probability = NAN;
        clear_top(row, 0);
    }

    static void clear_top(const SampleRow& row, size_t from) {
        for (size_t i = from; i < row.top_ids.size(); ++i) {
            row.top_ids[i] = -1;
            row.top_log_probabilities[i] = NAN;
        }
    }

    void write_top(const SampleRow& row, const LogSoftmax<V>& log_softmax) const {
        const int64_t most = std::min(std::min<int64_t>(row.wanted, std::ssize(row.top_ids)), kMaxTopLogProbabilities);
        const auto found = static_cast<size_t>(find_most_likely<V>(scores_, count_, most, row.top_ids.data()));
        for (size_t i = 0; i < found; ++i) row.top_log_probabilities[i] = log_softmax(scores_[row.top_ids[i]]);
        clear_top(row, found);
    }

    /// The token that is given or drawn; -1 where bias and mask leave none.
    int32_t token(const SampleRow& row) {
        const bool restricted = row.mask || !row.bias_ids.empty(), draws = row.given < 0 || row.probabilities;
        if (!draws && !restricted) return row.given;
        if (draws) Base::penalize(row.history, row.answer, *row.params);
        if (restricted) Base::bias_and_mask(row.bias_ids, row.bias_values, row.mask);
        const int32_t id = draws ? choose(row, restricted) : largest() > -INFINITY ? row.given : -1;
        return id >= 0 && row.given >= 0 ? row.given : id;
    }

    /// From scores that have their penalties, bias and mask. -1 where none is finite.
    int32_t choose(const SampleRow& row, bool restricted) {
        const SampleParams& p = *row.params;
        const bool greedy = p.temperature <= 0;
        if (!greedy) Base::divide(double{p.temperature});
        largest_ = largest();
        if (largest_ == -INFINITY) return -1;
        if (greedy) {
            const int32_t best = Base::first_at_least(largest_);
            if (row.probabilities) row.probabilities[best] = 1;
            return best;
        }
        Base::number_ids();
        if (restricted) keep_at_least(-std::numeric_limits<double>::max());  // a mask may leave few: the rest is faster then
        if (p.top_k > 0 && p.top_k < count_) keep_top_k(p.top_k);
        weigh();
        if (p.top_p < 1) keep_top_p(p.top_p);
        if (p.min_p > 0) keep([&](int64_t i) { return weights_[i] >= p.min_p; });
        return draw(uniform_at(p.seed, row.position), row.probabilities);
    }

    /// The scores from rank k on fall away; equals of the last one stay.
    void keep_top_k(int64_t k) {
        constexpr int kMostPasses = 60;
        const int64_t enough = 2 * k + 64;
        double bound = largest_ - 16, above = largest_;  // scores of more than k below the best are rarely far from it
        for (int pass = 0; pass < kMostPasses; ++pass) {
            const int64_t found = count_at_least(bound);
            if (found < k) {  // too few: further down, past every score if need be
                above = bound;
                bound = pass < 8 ? largest_ - (largest_ - bound) * 4 : -std::numeric_limits<double>::max();
            } else if (found <= enough) {
                break;
            } else {
                const double middle = bound + (above - bound) / 2;
                if (!(middle > bound && middle < above)) break;
                if (count_at_least(middle) >= k) {
                    bound = middle;
                } else {
                    above = middle;
                }
            }
        }
        if (count_at_least(bound) < k) return;  // fewer finite scores than k
        keep_at_least(bound);
        if (count_ <= k) return;
        std::copy_n(scores_, count_, weights_);
        // A comparison of this vector's own: the linker merges what several instruction sets share.
        std::nth_element(weights_, weights_ + k - 1, weights_ + count_, [](double a, double b) { return a > b; });
        keep_at_least(weights_[k - 1]);
    }

    /// weights = e^(score - largest).
    void weigh() {
        const D shift = V::set(largest_);
        for (int64_t i = 0; i < count_; i += V::kLanes) V::store(weights_ + i, exp_negative<V>(V::sub(V::load(scores_ + i), shift)));
    }

    double weight() const {
        double sum = 0;
        for (int64_t i = 0; i < count_; ++i) sum += weights_[i];
        return sum;
    }

    /// Drops the least likely ids while what was dropped stays within 1 - top_p; among equals the lower ids go first. One always stays.
    void keep_top_p(double top_p) {
        constexpr int kBins = 128;
        constexpr double kBinsPerUnit = 4;
        const auto bin_of = [&](int64_t i) { return static_cast<int>(std::min((largest_ - scores_[i]) * kBinsPerUnit, kBins - 1.0)); };
        std::array<double, kBins> bins{};
        for (int64_t i = 0; i < count_; ++i) bins[static_cast<size_t>(bin_of(i))] += weights_[i];
        const double sum = weight();
        double dropped = 0;
        int last = kBins - 1;  // bin that the limit falls into
        while (last > 0 && dropped + bins[static_cast<size_t>(last)] / sum <= 1 - top_p) dropped += bins[static_cast<size_t>(last--)] / sum;
        keep([&](int64_t i) { return bin_of(i) <= last; });

        int32_t* order = counts_;  // of the entries in that bin, from the first to go on
        int64_t size = 0;
        for (int64_t i = 0; i < count_; ++i) {
            if (bin_of(i) == last) order[size++] = static_cast<int32_t>(i);
        }
        std::sort(order, order + size, [&](int32_t a, int32_t b) { return scores_[a] != scores_[b] ? scores_[a] < scores_[b] : a < b; });
        for (int64_t i = 0; i < size && i + 1 < count_; ++i) {
            dropped += weights_[order[i]] / sum;
            if (dropped > 1 - top_p) break;
            weights_[order[i]] = -1;
        }
        keep([&](int64_t i) { return weights_[i] >= 0; });
    }

    /// The inverse of the distribution function in the order of ids.
    int32_t draw(double uniform, float* probabilities) const {
        const double sum = weight();
        double below = 0;
        int32_t last = -1, drawn = -1;
        for (int64_t i = 0; i < count_; ++i) {
            if (weights_[i] <= 0) continue;
            const double probability = weights_[i] / sum;
            below += probability;
            last = ids_[i];
            if (probabilities) probabilities[last] = static_cast<float>(probability);
            if (drawn >= 0 || uniform >= below) continue;
            drawn = last;
            if (!probabilities) return drawn;
        }
        return drawn >= 0 ? drawn : last;  // rounding kept the sum below the number drawn
    }

    double largest_ = 0;
};

}  // namespace hearth::cpu
