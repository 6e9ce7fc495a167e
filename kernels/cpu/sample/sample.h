// The next token of each row: the same distribution and draw as the reference, without sorting the vocabulary.
//
// Scores are doubles, as in the reference, so that a draw differs from it only where a number falls between two roundings of one sum.
// Greedy: one pass. top_k: the score of rank k is bracketed by counting passes, then found among the few that remain. top_p: exponentials
// are summed into bins by score; whole bins are dropped from below, and only those from the bin where the limit falls are sorted.
// Traffic: the logits once, then scores in L2. Rows of a batch are shared among threads.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <span>

#include "base/checked.h"
#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/sample/doubles.h"
#include "kernels/ops.h"
#include "kernels/philox.h"
#include "kernels/scratch.h"
#include "kernels/select.h"

namespace hearth::cpu {

/// One row of logits on its way to a token. Ids that are left lie in front of `ids`, rising, with their scores beside them.
template <class V>
class Sampling {
public:
    /// Memory for one row of `vocab` logits.
    struct Space {
        double *scores, *weights;  // [padded vocab]
        int32_t *ids, *counts;     // [padded vocab]
    };
    static int64_t padded(int64_t vocab) { return round_up<int64_t>(vocab, V::kLanes); }
    static size_t space_bytes(int64_t vocab) {
        return 2 * scratch_bytes<double>(padded(vocab)) + 2 * scratch_bytes<int32_t>(padded(vocab));
    }
    static Space take(Scratch& scratch, int64_t vocab) {
        const int64_t size = padded(vocab);
        return {scratch.take<double>(size), scratch.take<double>(size), scratch.take<int32_t>(size), scratch.take<int32_t>(size)};
    }

    explicit Sampling(const Space& space) : scores_(space.scores), weights_(space.weights), ids_(space.ids), counts_(space.counts) {}

    /// The token, and where `probabilities` is not null what it was drawn from.
    int32_t run(const float* logits, int64_t vocab, const SampleParams& p, std::span<const int32_t> history,
                std::span<const int32_t> answer, int64_t position, float* probabilities) {
        if (probabilities) std::fill_n(probabilities, vocab, 0.0f);
        if (!read(logits, vocab)) return -1;
        penalize(history, answer, p);
        if (p.temperature <= 0) {
            const int32_t best = first_at_least(largest());
            if (probabilities) probabilities[best] = 1;
            return best;
        }
        divide(double{p.temperature});
        largest_ = largest();
        for (int64_t i = 0; i < count_; ++i) ids_[i] = static_cast<int32_t>(i);
        if (p.top_k > 0 && p.top_k < count_) keep_top_k(p.top_k);
        weigh();
        if (p.top_p < 1) keep_top_p(p.top_p);
        if (p.min_p > 0) keep([&](int64_t i) { return weights_[i] >= p.min_p; });
        return draw(uniform_at(p.seed, position), probabilities);
    }

private:
    using D = typename V::D;

    /// Scores from logits, padded with -infinity. False where one is NaN or +infinity, or all are -infinity.
    bool read(const float* logits, int64_t vocab) {
        count_ = vocab;
        bool valid = true, any = false;
        int64_t i = 0;
        const D infinity = V::set(INFINITY), least = V::set(-std::numeric_limits<float>::max());
        uint32_t bad = 0, finite = 0;
        constexpr uint32_t kAll = (1u << V::kLanes) - 1;
        for (; i + V::kLanes <= vocab; i += V::kLanes) {
            const D x = V::widen(logits + i);
            bad |= V::at_least(x, infinity) | (~V::at_least(x, V::set(-INFINITY)) & kAll);
            finite |= V::at_least(x, least);
            V::store(scores_ + i, x);
        }
        valid = bad == 0;
        any = finite != 0;
        for (; i < vocab; ++i) {
            const double x = scores_[i] = double{logits[i]};
            valid &= x < INFINITY;
            any |= x > -INFINITY;
        }
        pad();
        return valid && any;
    }

    void pad() { std::fill(scores_ + count_, scores_ + padded(count_), -INFINITY); }

    /// The repetition penalty is for whatever the history holds; the others are for its last part, the answer.
    void penalize(std::span<const int32_t> history, std::span<const int32_t> answer, const SampleParams& p) {
        if (p.repetition_penalty != 1) {
            for_each_id(history, [&](double& score, int32_t) {
                score = score < 0 ? score * double{p.repetition_penalty} : score / double{p.repetition_penalty};
            });
        }
        if (p.frequency_penalty == 0 && p.presence_penalty == 0) return;
        for_each_id(answer,
                    [&](double& score, int32_t count) { score -= count * double{p.frequency_penalty} + double{p.presence_penalty}; });
    }

    /// Calls f(score, how often it is there) for each id of `tokens`, once.
    template <class F>
    void for_each_id(std::span<const int32_t> tokens, F&& f) {
        for (const int32_t id : tokens) counts_[id] = 0;
        for (const int32_t id : tokens) ++counts_[id];
        for (const int32_t id : tokens) {
            if (counts_[id] == 0) continue;
            f(scores_[id], counts_[id]);
            counts_[id] = 0;  // once a token
        }
    }

    double largest() const {
        D top = V::set(-INFINITY);
        for (int64_t i = 0; i < count_; i += V::kLanes) top = V::max(top, V::load(scores_ + i));
        std::array<double, V::kLanes> lanes;
        V::store(lanes.data(), top);
        return *std::max_element(lanes.begin(), lanes.end());
    }

    int32_t first_at_least(double bound) const {
        for (int64_t i = 0; i < count_; i += V::kLanes) {
            if (const uint32_t found = V::at_least(V::load(scores_ + i), V::set(bound)))
                return static_cast<int32_t>(i + std::countr_zero(found));
        }
        return 0;
    }

    int64_t count_at_least(double bound) const {
        int64_t count = 0;
        for (int64_t i = 0; i < count_; i += V::kLanes) count += std::popcount(V::at_least(V::load(scores_ + i), V::set(bound)));
        return count;
    }

    void divide(double temperature) {
        for (int64_t i = 0; i < count_; i += V::kLanes) V::store(scores_ + i, V::div(V::load(scores_ + i), V::set(temperature)));
    }

    /// Keeps entries for which f(index) holds, in order.
    template <class F>
    void keep(F&& f) {
        int64_t left = 0;
        for (int64_t i = 0; i < count_; ++i) {
            if (!f(i)) continue;
            ids_[left] = ids_[i];
            scores_[left] = scores_[i];
            weights_[left++] = weights_[i];
        }
        count_ = left;
        pad();
    }

    void keep_at_least(double bound) {
        int64_t left = 0;
        for (int64_t i = 0; i < count_; i += V::kLanes) {
            for (uint32_t found = V::at_least(V::load(scores_ + i), V::set(bound)); found; found &= found - 1) {
                const int64_t at = i + std::countr_zero(found);
                ids_[left] = ids_[at];
                scores_[left++] = scores_[at];
            }
        }
        count_ = left;
        pad();
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

    double *scores_, *weights_;
    int32_t *ids_, *counts_;
    int64_t count_ = 0;
    double largest_ = 0;
};

template <class V>
void run_sample(const SampleArgs& a, Stream& stream) noexcept {
    using Row = Sampling<V>;
    Scratch scratch(stream);
    ThreadPool& pool = pool_of(stream);
    const int64_t rows = a.logits.extent[0], vocab = a.logits.extent[1], parts = std::min<int64_t>(rows, pool.threads());
    auto* spaces = scratch.take<typename Row::Space>(parts);
    for (int64_t i = 0; i < parts; ++i) spaces[i] = Row::take(scratch, vocab);
    const auto work = [&](int64_t part) noexcept {
        Row row(spaces[part]);
        const Range range = part_of(rows, part, parts);
        for (int64_t s = range.begin; s < range.end; ++s) {
            const int32_t begin = a.history_starts.data[s], end = a.history_starts.data[s + 1], answer = a.answer_starts.data[s];
            a.ids.data[s] = row.run(a.logits.row(s), vocab, a.params.data[s], {a.history.data + begin, static_cast<size_t>(end - begin)},
                                    {a.history.data + answer, static_cast<size_t>(end - answer)}, a.positions.data[s],
                                    a.probabilities.data ? a.probabilities.row(s) : nullptr);
        }
    };
    if (parts <= 1) return work(0);
    pool.run([&](int thread) noexcept {
        if (thread < parts) work(thread);
    });
}

template <class V>
size_t sample_workspace(const SampleArgs& a, const Device& device) {
    const int64_t parts = std::min<int64_t>(a.logits.extent[0], device.threads);
    return scratch_bytes<typename Sampling<V>::Space>(parts) + static_cast<size_t>(parts) * Sampling<V>::space_bytes(a.logits.extent[1]);
}

static inline bool sample_fits(const SampleArgs& a) {
    return a.logits.stride[1] == 1 && (!a.probabilities.data || a.probabilities.stride[1] == 1);
}

}  // namespace hearth::cpu
