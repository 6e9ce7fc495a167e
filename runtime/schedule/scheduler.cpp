#include "runtime/schedule/scheduler.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "kernels/ops.h"
#include "runtime/engine/constraint.h"

namespace hearth {
namespace {

constexpr int64_t kMostOvertakes = 16;  // of one that waits for blocks, until nobody is admitted before it

bool contains(const auto& range, const auto& value) { return std::ranges::find(range, value) != std::ranges::end(range); }

}  // namespace

Scheduler::Scheduler(const Limits& limits, int32_t num_blocks, const PrefixHasher& hasher)
    : limits_(limits), blocks_(num_blocks, limits.window, hasher) {
    HEARTH_CHECK(limits.max_sequences > 0 && limits.max_step_tokens >= limits.max_sequences &&
                 limits.max_step_rows >= limits.max_sequences);
    HEARTH_CHECK(num_blocks >= blocks_for(limits.max_length));
    running_.reserve(static_cast<size_t>(limits.max_sequences));
    plan_.work.reserve(static_cast<size_t>(limits.max_sequences));
    committed_.reserve(static_cast<size_t>(limits.max_sequences));
}

void Scheduler::add(std::unique_ptr<Sequence> sequence) {
    HEARTH_CHECK(sequence->goal_length() > 0 && sequence->length() <= sequence->max_length && sequence->max_length <= limits_.max_length);
    HEARTH_CHECK(sequence->computed == 0 && sequence->blocks.empty());
    Sequence& added = *sequence;
    turns_.arrive(added);
    try {
        waiting_.push_back(std::move(sequence));
    } catch (...) {  // no memory: it is not there at all
        turns_.leave(added);
        throw;
    }
}

int64_t Scheduler::draft_room() const {
    return std::max<int64_t>(0, std::min(limits_.max_step_tokens, limits_.max_step_rows) - num_running());
}

const Plan& Scheduler::plan(int64_t prefill_tokens) {
    plan_.work.clear();
    plan_.tokens = plan_.rows = plan_.decodes = 0;
    had_turn_.clear();
    plan_decodes();
    const int64_t budget = limits_.max_step_tokens - plan_.tokens;
    plan_prefill(plan_.decodes > 0 ? std::min(budget, prefill_tokens) : budget);
    HEARTH_CHECK(!plan_.work.empty() || empty());
    return plan_;
}

/// In the order of admission: grow_or_preempt() may preempt the last one, which stands behind all that is planned already.
void Scheduler::plan_decodes() {
    for (size_t i = 0; i < running_.size(); ++i) {
        Sequence& s = *running_[i];
        if (s.remaining() != 1 || !grow_or_preempt(s)) continue;
        const int64_t others = num_running() - std::ssize(plan_.work);  // a token and a row are kept for each, and for this one
        const int64_t room = std::min(limits_.max_step_tokens - plan_.tokens, limits_.max_step_rows - plan_.rows) - others;
        s.keep_drafts(std::clamp<int64_t>(room, 0, s.drafted));
        schedule(s, 1 + s.drafted);
        plan_.decodes += s.generated() > 0;
    }
}

/// The first token whose logits are wanted.
int64_t Scheduler::first_row(const Sequence& s) {
    if (s.request.score_prompt && s.next_score < s.prompt_tokens) return std::max(s.computed, s.next_score - 1);
    return s.draws() ? s.length() - 1 : s.length();
}

void Scheduler::schedule(Sequence& s, int64_t count) {
    const int64_t rows = std::max<int64_t>(0, s.computed + count - first_row(s));
    plan_.work.push_back({.sequence = &s, .count = count, .rows = rows, .drafts = s.drafted});
    plan_.tokens += count;
    plan_.rows += rows;
}

void Scheduler::plan_prefill(int64_t budget) {
    while (budget > 0) {
        Sequence* next = next_turn();
        if (!next) return;
        had_turn_.push_back(next);
        if (!may_have_turn(*next)) continue;
        const int64_t before = plan_.tokens;
        schedule_chunk(*next, budget);
        budget -= plan_.tokens - before;
    }
}

/// Of those that have not had one in this step.
Sequence* Scheduler::next_turn() const {
    Sequence* best = nullptr;
    const auto consider = [&](Sequence& s) {
        if (!contains(had_turn_, &s) && (!best || turns_.before(s, *best))) best = &s;
    };
    for (const auto& s : running_) {
        if (s->remaining() > 1) consider(*s);
    }
    if (num_running() < limits_.max_sequences) {
        for (const auto& s : waiting_) consider(*s);
    }
    return best;
}

/// Whether there is something for `s` to compute now; admits it where it waits.
bool Scheduler::may_have_turn(Sequence& s) {
    if (s.blocks.empty()) {
        if (waits_for_other(s) || !admit(s)) return false;
    } else {
        blocks_.share_more(s);
    }
    return !waits_for_other(s);
}

/// Whether one that was admitted before will compute the block that `s` lacks next, or does so in this step: it can be shared then.
bool Scheduler::waits_for_other(Sequence& s) {
    const auto missing = blocks_.missing_name(s);
    if (!missing) return false;
    for (const auto& other : running_) {
        if (other.get() == &s) return false;
        if (other->remaining() > 1 && blocks_.will_compute(*other, *missing)) return true;
    }
    return false;
}

/// Up to the end of a block, unless it is the last chunk or the budget is smaller than a block.
void Scheduler::schedule_chunk(Sequence& s, int64_t budget) {
    int64_t count = std::min({s.remaining(), budget, first_row(s) - s.computed + limits_.max_step_rows - plan_.rows});
    if (count < s.remaining()) {
        const int64_t border = (s.computed + count) / kBlockTokens * kBlockTokens;
        if (border > s.computed) count = border - s.computed;
    }
    if (count <= 0) return;
    schedule(s, count);
    turns_.take(s);
}

bool Scheduler::grow_or_preempt(Sequence& s) {
    while (!blocks_.grow(s)) {
        if (s.drafted > 0) {
            s.drop_drafts();
            continue;
        }
        const bool itself = running_.back().get() == &s;
        HEARTH_CHECK(running_.size() > 1);  // one alone fits the pool
        preempt_last();
        if (itself) return false;
    }
    return true;
}

/// Blocks for all its tokens, and one more left for each that runs. Who does not get them may be overtaken, but not by everybody.
bool Scheduler::admit(Sequence& s) {
    const bool first_blocked = blocked_ == &s;
    if (blocked_ && !first_blocked && overtaken_ >= kMostOvertakes) return false;
    if (!blocks_.admit(s, num_running())) {
        if (!blocked_) {
            blocked_ = &s;
            overtaken_ = 0;
        }
        return false;
    }
    if (first_blocked) blocked_ = nullptr;
    if (blocked_) ++overtaken_;
    const auto at = std::ranges::find(waiting_, &s, [](const auto& p) { return p.get(); });
    running_.push_back(std::move(*at));
    waiting_.erase(at);
    return true;
}

void Scheduler::preempt_last() {
    ++preemptions_;
    Sequence& s = *running_.back();
    s.drop_drafts();
    blocks_.release(s);
    s.started_over = true;
    waiting_.push_front(std::move(running_.back()));
    running_.pop_back();
}

const std::vector<Committed>& Scheduler::commit(std::span<const Outcome> outcomes) {
    committed_.clear();
    auto outcome = outcomes.begin();
    for (const Work& work : plan_.work) {
        while (outcome != outcomes.end() && outcome->sequence != work.sequence) ++outcome;  // of one that was removed
        HEARTH_CHECK(outcome != outcomes.end() && std::ssize(outcome->rows) == work.rows);
        Committed& out = committed_.emplace_back(Committed{.sequence = work.sequence});
        try {
            commit_work(work, *outcome++, out);
        } catch (const std::exception& error) {  // memory, or a constraint: it ends this one and no other
            out.finish = FinishReason::kError;
            out.error = error.what();
        }
    }
    plan_.work.clear();
    return committed_;
}

void Scheduler::commit_work(const Work& work, const Outcome& outcome, Committed& out) {
    Sequence& s = *work.sequence;
    const std::span<const Token> rows = outcome.rows;
    const bool states_are_finite = std::ranges::all_of(outcome.states, [](float x) { return std::isfinite(x); });
    if (!outcome.states.empty()) s.add_states(outcome.states, work.count);
    const int64_t first = s.computed + work.count - work.rows + 1;  // the token that row 0 speaks of
    const int64_t scored = std::clamp<int64_t>(s.length() - first, 0, work.rows);
    s.computed += work.count - work.drafts;
    s.drafted_tokens += work.drafts;
    out.scored = rows.first(static_cast<size_t>(scored));
    s.next_score += scored;
    if (!states_are_finite) {
        out.scored = {};
        out.finish = FinishReason::kNumericError;
        out.error = "the hidden states of the prompt are not finite";
    } else if (std::ranges::any_of(out.scored, [](const Token& token) { return token.id < 0; })) {
        out.scored = {};
        out.finish = FinishReason::kNumericError;
        out.error = "the logits of a token of the prompt are not finite";
    } else if (work.rows > scored) {
        commit_drawn(s, rows.subspan(static_cast<size_t>(scored)), out);
    }
    s.drop_drafts();
    if (out.finish == FinishReason::kNumericError) return;  // what was computed is not to be shared
    blocks_.computed_more(s);
    if (out.finish || s.draws() || s.remaining() > 0) return;
    out.finish = s.request.goal == Request::Goal::kEmbedding ? FinishReason::kStop : FinishReason::kLength;
}

/// A draft is kept exactly when it is the token that was drawn in its place; the row behind it then counts.
void Scheduler::commit_drawn(Sequence& s, std::span<const Token> drawn, Committed& out) {
    size_t appended = 0;
    for (const Token& token : drawn) {
        if (token.id < 0) {
            out.finish = FinishReason::kNumericError;
            out.error = cat("the logits of token ", s.length(), " are not finite");
            break;
        }
        if (contains(s.request.stop_tokens, token.id)) {
            out.finish = FinishReason::kStop;
            break;
        }
        const bool kept = s.drafted > 0 && s.tokens[static_cast<size_t>(s.length())] == token.id;
        if (kept) {
            --s.drafted;
            ++s.kept_tokens;
        } else {
            s.drop_drafts();
            s.tokens.push_back(token.id);
        }
        out.appended = drawn.first(++appended);
        if (s.request.constraint && !s.request.constraint->accept(token.id))
            throw Error(ErrorKind::kBadInput, cat("the constraint does not accept token ", token.id, ", which its mask allowed"));
        if (s.length() == s.max_length) {
            out.finish = FinishReason::kLength;
            out.context_full = s.context_limits;
            break;
        }
        if (!kept) break;
        ++s.computed;
    }
}

std::unique_ptr<Sequence> Scheduler::remove(const Sequence* sequence, bool trusted) {
    const auto take = [&](auto& from) -> std::unique_ptr<Sequence> {
        const auto found = std::ranges::find(from, sequence, [](const auto& s) { return s.get(); });
        if (found == from.end()) return nullptr;
        auto out = std::move(*found);
        from.erase(found);
        return out;
    };
    std::erase_if(plan_.work, [&](const Work& work) { return work.sequence == sequence; });
    auto out = take(running_);
    if (!out) out = take(waiting_);
    HEARTH_CHECK(out);
    if (blocked_ == sequence) blocked_ = nullptr;
    turns_.leave(*out);
    blocks_.release(*out, trusted);
    return out;
}

void Scheduler::check_integrity() const {
    pool().check_integrity();
    std::map<BlockId, int32_t> uses;
    for (const auto& s : running_) {
        blocks_.check_integrity(*s);
        if (s->remaining() < 1) throw std::logic_error("scheduler: a sequence has nothing left to compute");
        if (s->drafted != 0) throw std::logic_error("scheduler: drafts outlived their step");
        for (const BlockId block : s->blocks) {
            if (block != kNoBlock) ++uses[block];
        }
    }
    for (const auto& s : waiting_) {
        if (!s->blocks.empty() || s->computed != 0) throw std::logic_error("scheduler: a queued sequence holds blocks");
    }
    for (const auto& [block, count] : uses) {
        if (pool().num_uses(block) != count) throw std::logic_error("scheduler: a block's users were miscounted");
    }
    if (std::ssize(uses) != pool().num_in_use()) throw std::logic_error("scheduler: a block is lost");
    if (num_running() > limits_.max_sequences) throw std::logic_error("scheduler: too many sequences run");
}

}  // namespace hearth
