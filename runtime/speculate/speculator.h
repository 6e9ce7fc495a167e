// Drafts for sequences that decode: guesses that the next step verifies all at once.
#pragma once

#include <memory>

#include "runtime/schedule/scheduler.h"
#include "runtime/schedule/step_cost.h"
#include "runtime/speculate/drafter.h"
#include "runtime/speculate/speculation.h"

namespace hearth {

/// Before each step it puts drafts behind the tokens of sequences that decode (Sequence::drafted), from what the text has said before, or
/// from a small model. A draw is a function of logits, parameters, seed and position, so a draft is kept exactly when it is the token that
/// would have been drawn: no answer changes, at any temperature, with penalties, bias and constraints. The length follows what drafts of
/// late were worth and what steps take, down to none. Belongs to the engine's thread.
class Speculator {
public:
    /// `drafter` may be null: then the text alone is asked, where `from_text`. Not `adapts`: drafts are always as long as they can be.
    Speculator(int64_t max_drafts, std::unique_ptr<Drafter> drafter, bool from_text = true, bool adapts = true)
        : max_drafts_(max_drafts), from_text_(from_text), adapts_(adapts), drafter_(std::move(drafter)) {}

    /// Drafts for the next step of `scheduler`. Where it throws, sequences may have drafts or none. What a constraint throws is left in
    /// Sequence::constraint_error.
    void draft(Scheduler& scheduler, const StepCost& cost);

    /// What became of the drafts of `sequence` in the last step.
    void learn(Sequence& sequence);

    /// A sequence ends.
    void forget(const Sequence& sequence) noexcept;

private:
    int64_t length_for(Speculation& speculation, DraftSource source, int64_t most, int64_t others, const StepCost& cost) const;
    void draft_from_text(Sequence& sequence, int64_t most, int64_t others, const StepCost& cost);

    int64_t max_drafts_;
    bool from_text_, adapts_;
    std::unique_ptr<Drafter> drafter_;
    Acceptance overall_[kNumDraftSources];  // of all sequences of late
    std::vector<Drafter::Ask> asks_;
};

}  // namespace hearth
