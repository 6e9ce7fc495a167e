// Which sequences get which share of the next step, and what a step's outcome makes of them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/schedule/sequence.h"
#include "runtime/schedule/sequence_blocks.h"
#include "runtime/schedule/turns.h"

namespace hearth {

/// The next `count` tokens of a sequence are to be computed; its blocks hold them.
struct Work {
    Sequence* sequence = nullptr;
    int64_t count = 0;
    int64_t rows = 0;    // of logits: of the last `rows` of those tokens
    int64_t drafts = 0;  // of those tokens, the last ones: not known to be the answer's
};

/// One step.
struct Plan {
    std::vector<Work> work;
    int64_t tokens = 0, rows = 0;  // of all work
    int64_t decodes = 0;           // sequences that go on with an answer
};

/// What came of one work: a token for each of its rows, in order; its id is -1 where the logits are not numbers. Where the sequence has a
/// token at that place, that one was scored; the others were drawn.
struct Outcome {
    const Sequence* sequence = nullptr;
    std::span<const Token> rows = {};
    std::span<const float> states = {};  // with Goal::kEmbedding: [count, hidden], the last hidden states of the work's tokens
};

/// What an outcome made of a sequence. The spans point into the outcome.
struct Committed {
    Sequence* sequence = nullptr;
    std::span<const Token> scored = {};    // of the prompt
    std::span<const Token> appended = {};  // to the answer
    std::optional<FinishReason> finish = {};
    bool context_full = false;
    std::string error = {};  // with kError and kNumericError
};

/// Continuous batching over a pool of KV blocks, with reuse of what was computed before.
///
/// A step takes one token of every sequence that decodes, and the drafts behind it, then fills what is left of its budget with prefill
/// chunks, whose turn it is first (turns.h). Chunks end where blocks do, unless a prompt ends. A sequence is admitted when there are blocks
/// for all tokens that it has and one more for each sequence that runs; who has to wait for blocks is overtaken by a few and then by
/// nobody. Blocks for the answer are taken as it grows. When none is left, the sequence that was admitted last gives all of its blocks
/// back, to be computed again later: its answer does not change. The first is never the victim while others run, and the pool holds the
/// longest sequence, so something always ends.
///
/// Full blocks are published under the name of their prefix (prefix_hash.h) and shared by whoever begins alike: when it is admitted, and
/// again before each of its turns, and what another one computes in this very step is waited for. Losing blocks costs time and changes no
/// answer. Where every layer has a window, blocks that left it are given back.
///
/// Plan, run and commit are separate: a plan stays what it is while it runs, and sequences may be added and removed meanwhile.
/// Knows neither the device nor logits. Not thread-safe: it belongs to the engine thread.
class Scheduler {
public:
    struct Limits {
        int64_t max_sequences = 8;
        int64_t max_step_tokens = 512;  // at least max_sequences
        int64_t max_step_rows = 8;      // at least max_sequences
        int64_t max_length = 0;         // of any sequence: the context
        int64_t window = 0;             // the largest of all layers, 0 where one sees everything
    };

    /// `num_blocks` hold at least one sequence of limits.max_length.
    Scheduler(const Limits& limits, int32_t num_blocks, const PrefixHasher& hasher = {});

    /// At the end of the queue. Its goal_length() is at least 1, and its max_length at most limits.max_length. Where memory fails, the
    /// sequence is gone and nothing else has changed.
    void add(std::unique_ptr<Sequence> sequence);

    /// Room for drafts in the next step: sequences that decode may get so many together, by appending to `tokens` and counting `drafted`.
    int64_t draft_room() const;

    /// The next step; its work is empty only when there are no sequences. `prefill_tokens`: of prompts at most, where somebody decodes.
    /// Valid until the next call of plan(). Drafts for which there is no block are dropped. After an exception (memory) the sequences that
    /// run are to be removed: no block is lost, but how far each came is not known.
    const Plan& plan(int64_t prefill_tokens);

    /// The step that plan() gave was computed: an outcome for each of its works, in order; those of sequences that were removed since are
    /// left out of account. Appends, publishes, drops what was drafted and refused. Sequences with a reason to finish are to be removed by
    /// the caller. Valid until the next call that is not const, and as long as the outcomes.
    const std::vector<Committed>& commit(std::span<const Outcome> outcomes);

    /// Takes a sequence out, queued or running, and gives its blocks back: it ended, was cancelled or failed. `trusted`: what it computed
    /// may be shared by others as before.
    std::unique_ptr<Sequence> remove(const Sequence* sequence, bool trusted = true);

    /// Calls f(Sequence&) for each sequence, those that run first. f must not add or remove.
    template <class F>
    void for_each(F&& f) {
        for (auto& s : running_) f(*s);
        for (auto& s : waiting_) f(*s);
    }

    /// The first of those that run, or else of those that wait; null when there is none.
    Sequence* oldest() const { return !running_.empty() ? running_.front().get() : !waiting_.empty() ? waiting_.front().get() : nullptr; }

    bool empty() const { return running_.empty() && waiting_.empty(); }
    int64_t num_running() const { return static_cast<int64_t>(running_.size()); }
    int64_t num_waiting() const { return static_cast<int64_t>(waiting_.size()); }
    int64_t num_preemptions() const { return preemptions_; }  // since the beginning
    const BlockPool& pool() const { return blocks_.pool(); }

    /// Throws std::logic_error if blocks and sequences disagree: for tests.
    void check_integrity() const;

private:
    void plan_decodes();
    void plan_prefill(int64_t budget);
    Sequence* next_turn() const;
    bool may_have_turn(Sequence& sequence);
    bool waits_for_other(Sequence& sequence);
    void schedule_chunk(Sequence& sequence, int64_t budget);
    void schedule(Sequence& sequence, int64_t count);
    static int64_t first_row(const Sequence& sequence);
    bool grow_or_preempt(Sequence& sequence);  // false: it was preempted itself
    bool admit(Sequence& sequence);
    void preempt_last();

    void commit_work(const Work& work, const Outcome& outcome, Committed& out);
    void commit_drawn(Sequence& sequence, std::span<const Token> drawn, Committed& out);

    Limits limits_;
    SequenceBlocks blocks_;
    Turns turns_;
    std::vector<std::unique_ptr<Sequence>> running_;  // in the order of their admission
    std::deque<std::unique_ptr<Sequence>> waiting_;   // in the order of their arrival, those that were preempted in front
    Plan plan_;
    std::vector<Committed> committed_;
    std::vector<const Sequence*> had_turn_;  // in this plan, or cannot have one
    const Sequence* blocked_ = nullptr;      // the first that waits for blocks
    int64_t overtaken_ = 0;                  // times that somebody was admitted before it
    int64_t preemptions_ = 0;
};

}  // namespace hearth
