// The scores of one row of logits, and what is done to all of them alike: reading, penalties, temperature, counting, dropping.
//
// Scores are doubles, as in the reference, so that a draw differs from it only where a number falls between two roundings of one sum.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

#include "base/checked.h"
#include "kernels/cpu/sample/doubles.h"
#include "kernels/ops.h"
#include "kernels/scratch.h"

namespace hearth::cpu {

/// Memory for one row of logits, padded to whole vectors of V.
template <class V>
struct SampleSpace {
    double *scores, *weights;  // [padded vocab]
    int32_t *ids, *counts;     // [padded vocab]

    static int64_t padded(int64_t vocab) { return round_up<int64_t>(vocab, V::kLanes); }
    static size_t bytes(int64_t vocab) { return 2 * scratch_bytes<double>(padded(vocab)) + 2 * scratch_bytes<int32_t>(padded(vocab)); }
    static SampleSpace take(Scratch& scratch, int64_t vocab) {
        const int64_t size = padded(vocab);
        return {scratch.take<double>(size), scratch.take<double>(size), scratch.take<int32_t>(size), scratch.take<int32_t>(size)};
    }
};

/// One row's scores. Ids that are left lie in front of `ids`, rising, with their scores and weights beside them; ids count from
/// number_ids() on, weights from weigh() of the sampler on.
template <class V>
class Scores {
public:
    explicit Scores(const SampleSpace<V>& space) : scores_(space.scores), weights_(space.weights), ids_(space.ids), counts_(space.counts) {}

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

    /// Adds `values` to the scores of `ids`; what `mask` does not allow, if it is not null, is ruled out.
    void bias_and_mask(std::span<const int32_t> ids, const float* values, const uint32_t* mask) {
        for (size_t i = 0; i < ids.size(); ++i) scores_[ids[i]] += double{values[i]};
        if (!mask) return;
        constexpr int64_t kBits = 32;
        for (int64_t first = 0; first < count_; first += kBits, ++mask) {
            uint32_t banned = ~*mask;
            if (count_ - first < kBits) banned &= (uint32_t{1} << (count_ - first)) - 1;  // the last word may go on past the vocabulary
            for (; banned; banned &= banned - 1) scores_[first + std::countr_zero(banned)] = -INFINITY;
        }
    }

    /// In four chains: one alone waits for each comparison.
    double largest() const {
        constexpr int kChains = 4;
        D top[kChains];
        HEARTH_UNROLL for (int c = 0; c < kChains; ++c) top[c] = V::set(-INFINITY);
        int64_t i = 0;
        for (; i + kChains * V::kLanes <= count_; i += kChains * V::kLanes) {
            HEARTH_UNROLL for (int c = 0; c < kChains; ++c) top[c] = V::max(top[c], V::load(scores_ + i + c * V::kLanes));
        }
        for (; i < count_; i += V::kLanes) top[0] = V::max(top[0], V::load(scores_ + i));
        std::array<double, V::kLanes> lanes;
        V::store(lanes.data(), V::max(V::max(top[0], top[1]), V::max(top[2], top[3])));
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
        constexpr int kVectors = 4;
        int64_t count = 0, i = 0;
        const auto found = [&](int64_t at) HEARTH_INLINED { return std::popcount(V::at_least(V::load(scores_ + at), V::set(bound))); };
        for (; i + kVectors * V::kLanes <= count_; i += kVectors * V::kLanes) {
            HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) count += found(i + v * V::kLanes);
        }
        for (; i < count_; i += V::kLanes) count += found(i);
        return count;
    }

    void divide(double temperature) {
        for (int64_t i = 0; i < count_; i += V::kLanes) V::store(scores_ + i, V::div(V::load(scores_ + i), V::set(temperature)));
    }

    void number_ids() {
        for (int64_t i = 0; i < count_; ++i) ids_[i] = static_cast<int32_t>(i);
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

protected:
    using D = typename V::D;

    void pad() { std::fill(scores_ + count_, scores_ + SampleSpace<V>::padded(count_), -INFINITY); }

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

    double *scores_, *weights_;
    int32_t *ids_, *counts_;
    int64_t count_ = 0;
};

}  // namespace hearth::cpu
