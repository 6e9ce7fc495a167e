#include "runtime/speculate/speculator.h"

#include <algorithm>

#include "base/error.h"
#include "runtime/engine/constraint.h"
#include "runtime/speculate/speculation.h"

namespace hearth {
namespace {

// Steps between tries of a source that does not pay: what was true of one part of a text may not be of the next. A model has to read first
// what was said meanwhile.
constexpr int64_t kStepsBetweenTries = 48, kStepsBetweenTriesOfModel = 512;

bool may_draft(const Sequence& s) { return s.request.speculate && s.draws() && !s.blocks.empty() && s.remaining() == 1; }

/// Drops what the constraint does not allow, and what stands behind it. What the constraint throws is the business of its answer alone.
void keep_allowed(Sequence& s) {
    if (!s.request.constraint || s.drafted == 0) return;
    try {
        int64_t allowed = 0;
        while (allowed < s.drafted && s.request.constraint->accept(s.tokens[static_cast<size_t>(s.length() + allowed)])) ++allowed;
        s.request.constraint->rollback(allowed);
        s.keep_drafts(allowed);
    } catch (const std::exception&) {
        s.drop_drafts();
        s.constraint_error = std::current_exception();
    }
}

}  // namespace

int64_t Speculator::length_for(Speculation& speculation, DraftSource source, int64_t most, int64_t others, const StepCost& cost) const {
    if (!adapts_) return most;
    const double draft_ms = source == DraftSource::kModel ? drafter_->token_ms() : 0;
    const double rate = speculation.acceptance[static_cast<size_t>(source)].rate();
    const int64_t length = best_draft_length(rate, std::min(most, speculation.longest), others, cost, draft_ms);
    const int64_t between = source == DraftSource::kModel ? kStepsBetweenTriesOfModel : kStepsBetweenTries;
    if (length > 0 || ++speculation.steps_without < between) return length;
    return std::min<int64_t>(most, 1);
}

void Speculator::draft_from_text(Sequence& s, int64_t most, int64_t others, const StepCost& cost) {
    Speculation& speculation = *s.speculation;
    const NgramIndex::Guess guess = speculation.ngrams.guess(s.tokens, most);
    if (guess.tokens.empty()) return;
    const auto source = static_cast<DraftSource>(guess.length);
    const int64_t length = length_for(speculation, source, std::ssize(guess.tokens), others, cost);
    if (length == 0) return;
    speculation.source = source;
    const auto from = static_cast<size_t>(guess.tokens.data() - s.tokens.data());
    const size_t needed = s.tokens.size() + static_cast<size_t>(length);
    if (needed > s.tokens.capacity()) s.tokens.reserve(2 * needed);  // the guess lies in the same vector
    for (size_t i = 0; i < static_cast<size_t>(length); ++i) s.tokens.push_back(s.tokens[from + i]);
    s.drafted = length;
}

void Speculator::draft(Scheduler& scheduler, const StepCost& cost) {
    if (max_drafts_ == 0 || (!from_text_ && !drafter_)) return;
    asks_.clear();
    int64_t room = scheduler.draft_room(), others = -1;
    scheduler.for_each([&](const Sequence& s) { others += !s.blocks.empty() && s.remaining() == 1; });
    scheduler.for_each([&](Sequence& s) {
        if (!may_draft(s)) return;
        const int64_t most = std::min({max_drafts_, room, s.max_length - 1 - s.length()});
        if (most <= 0) return;
        if (!s.speculation) {
            s.speculation = std::make_unique<Speculation>();
            for (int i = 0; i < kNumDraftSources; ++i) s.speculation->acceptance[i] = overall_[i].as_prior();
        }
        if (from_text_) draft_from_text(s, most, others, cost);
        if (s.drafted == 0 && drafter_) {
            const int64_t length = length_for(*s.speculation, DraftSource::kModel, most, others, cost);
            if (length > 0) asks_.push_back({.sequence = &s, .most = length});
            room -= length;
            others += length;
        }
        room -= s.drafted;
        others += s.drafted;
    });
    if (!asks_.empty()) {
        drafter_->draft(asks_);
        for (const auto& ask : asks_) ask.sequence->speculation->source = DraftSource::kModel;
    }
    scheduler.for_each([](Sequence& s) { keep_allowed(s); });
}

void Speculator::learn(Sequence& s) {
    if (!s.speculation) return;
    Speculation& speculation = *s.speculation;
    const int64_t drafted = s.drafted_tokens - speculation.drafted_before, kept = s.kept_tokens - speculation.kept_before;
    speculation.learn(drafted, kept);
    overall_[static_cast<size_t>(speculation.source)].add(drafted, kept);
    speculation.drafted_before = s.drafted_tokens;
    speculation.kept_before = s.kept_tokens;
}

void Speculator::forget(const Sequence& sequence) noexcept {
    if (drafter_) drafter_->forget(sequence);
}

}  // namespace hearth
