// How many tokens are worth drafting.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/schedule/step_cost.h"

namespace hearth {

/// Of one source of drafts, for one sequence: how often a drafted token was the one that was drawn, of late.
class Acceptance {
public:
    /// `drafted` tokens were verified, the first `kept` of them agreed.
    void add(int64_t drafted, int64_t kept) {
        if (drafted == 0) return;
        // Each token that agreed is a success; the first that did not is a failure, and those behind it say nothing.
        tried_ = kMemory * tried_ + static_cast<double>(std::min(kept + 1, drafted));
        agreed_ = kMemory * agreed_ + static_cast<double>(kept);
    }

    double rate() const { return agreed_ / tried_; }

    /// What a new sequence begins with, where this is what drafts of others were worth: a guess that a few tokens of its own outweigh.
    Acceptance as_prior() const {
        Acceptance out;
        out.agreed_ = rate() * out.tried_;
        return out;
    }

private:
    static constexpr double kMemory = 0.85;  // of what was before
    double tried_ = 2, agreed_ = 1.2;        // as if 60 % of two had agreed: drafting is tried, and given up after about four failures
};

/// The number of drafts, 0 to `most`, that brings the most tokens a second: with `k` drafts of rate p a step brings
/// 1 + p + ... + p^k tokens (Leviathan, Kalman and Matias, "Fast inference from transformers via speculative decoding", 2023) and takes
/// what a step of so many tokens takes. `others`: tokens that the step computes besides. `draft_ms`: what one drafted token costs itself.
int64_t best_draft_length(double rate, int64_t most, int64_t others, const StepCost& cost, double draft_ms = 0);

}  // namespace hearth
