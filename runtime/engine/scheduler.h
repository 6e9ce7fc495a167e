// Which sequences get which share of the next step.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "runtime/block_pool.h"
#include "runtime/engine/sequence.h"

namespace hearth {

/// First come, first served, over a pool of KV blocks.
///
/// The rule: a step takes one token of every sequence that decodes, then fills what is left of its token budget with prefill chunks, the
/// oldest sequence first. The sequence at the head of the queue is admitted when there are blocks for all tokens that it has and one
/// more for each sequence that runs; nobody overtakes it. Blocks for the answer are taken as it grows. When none is left, the youngest
/// running sequence gives all of its blocks back and returns to the head of the queue, to be computed again later: its answer does not
/// change. The oldest is never the victim while others run, and the pool holds the longest sequence, so something always ends.
///
/// Knows neither the device nor logits. Not thread-safe: it belongs to the engine thread.
class Scheduler {
public:
    struct Limits {
        int64_t max_sequences = 8;
        int64_t max_step_tokens = 512;  // at least max_sequences
        int64_t max_length = 0;         // of any sequence: the context
    };

    /// The next `count` tokens of a sequence are to be computed; its blocks hold them.
    struct Work {
        Sequence* sequence = nullptr;
        int64_t count = 0;
        bool draws = false;  // those are the last ones it has: the next token can be drawn
    };

    /// `num_blocks` hold at least one sequence of limits.max_length.
    Scheduler(const Limits& limits, int32_t num_blocks);

    /// At the end of the queue. 0 < sequence->length() < sequence->max_length <= limits.max_length.
    void add(std::unique_ptr<Sequence> sequence);

    /// The next step; empty only when there are no sequences. Valid until the next call that is not const. After an exception (memory) the
    /// sequences that run are to be removed: no block is lost, but how far each came is not known.
    const std::vector<Work>& plan();

    /// The step that plan() gave was computed.
    void commit();

    /// Takes a sequence out, queued or running, and gives its blocks back: it ended, was cancelled or failed.
    std::unique_ptr<Sequence> remove(const Sequence* sequence);

    /// Calls f(Sequence&) for each sequence, oldest first. f must not add or remove.
    template <class F>
    void for_each(F&& f) {
        for (auto& s : running_) f(*s);
        for (auto& s : waiting_) f(*s);
    }

    /// The oldest of those that run, or else of those that wait; null when there is none.
    Sequence* oldest() const { return !running_.empty() ? running_.front().get() : !waiting_.empty() ? waiting_.front().get() : nullptr; }

    bool empty() const { return running_.empty() && waiting_.empty(); }
    int64_t num_running() const { return static_cast<int64_t>(running_.size()); }
    int64_t num_preemptions() const { return preemptions_; }  // since the beginning
    int64_t num_waiting() const { return static_cast<int64_t>(waiting_.size()); }
    const BlockPool& pool() const { return pool_; }

    /// Throws std::logic_error if blocks and sequences disagree: for tests.
    void check_integrity() const;

private:
    bool grow(Sequence& sequence);  // false: it was preempted itself
    bool admit_next();
    void preempt_youngest();
    void release_blocks(Sequence& sequence);
    void schedule(Sequence& sequence, int64_t& budget);

    Limits limits_;
    BlockPool pool_;
    std::vector<std::unique_ptr<Sequence>> running_;  // oldest first
    std::deque<std::unique_ptr<Sequence>> waiting_;   // oldest first, all younger than those running
    std::vector<Work> work_;
    int64_t preemptions_ = 0;
};

}  // namespace hearth
