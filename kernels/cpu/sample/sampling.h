// The next token of one row: the same distribution and draw as the reference, without sorting the vocabulary.
//
// Greedy: one pass. top_k: the score of rank k is bracketed by counting passes, then found among the few that remain. top_p: exponentials
// are summed into bins by score; whole bins are dropped from below, and only those from the bin where the limit falls are sorted.
#pragma once

#include <functional>

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

    /// The token, and where `probabilities` is not null what it was drawn from.
    int32_t run(const float* logits, int64_t vocab, const SampleParams& p, std::span<const int32_t> history,
                std::span<const int32_t> answer, int64_t position, float* probabilities) {
        if (probabilities) std::fill_n(probabilities, vocab, 0.0f);
        if (!Base::read(logits, vocab)) return -1;
        Base::penalize(history, answer, p);
        if (p.temperature <= 0) {
            const int32_t best = Base::first_at_least(largest());
            if (probabilities) probabilities[best] = 1;
            return best;
        }
        Base::divide(double{p.temperature});
        largest_ = largest();
        Base::number_ids();
        if (p.top_k > 0 && p.top_k < count_) keep_top_k(p.top_k);
        weigh();
        if (p.top_p < 1) keep_top_p(p.top_p);
        if (p.min_p > 0) keep([&](int64_t i) { return weights_[i] >= p.min_p; });
        return draw(uniform_at(p.seed, position), probabilities);
    }

private:
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
