// One request on its way through an engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <vector>

#include "runtime/engine/request.h"
#include "runtime/schedule/block_pool.h"

namespace hearth {

class TokenChannel;
struct Speculation;

/// Stands in Sequence::blocks where a block left the window of every layer and was given back.
constexpr BlockId kNoBlock = -1;

/// A request's tokens, and how far it has come. Owned by the Scheduler, touched by the engine's thread alone.
struct Sequence {
    using Clock = std::chrono::steady_clock;

    Sequence();
    ~Sequence();  // a reader that was not told of an end is told that this one is lost: nobody waits for ever
    Sequence(const Sequence&) = delete;
    Sequence& operator=(const Sequence&) = delete;

    // what was asked: request.prompt has moved into `tokens`
    Request request;
    int64_t prompt_tokens = 0;
    int64_t max_length = 0;       // tokens may grow to this
    bool context_limits = false;  // max_length is where the context ends, not where the request does

    // how far it is
    std::vector<int32_t> tokens;    // the prompt, the answer, then drafts that nobody has verified
    int64_t drafted = 0;            // that many of `tokens`, at the end, are drafts
    int64_t computed = 0;           // tokens whose k and v are in the cache
    int64_t in_cache = 0;           // tokens whose k and v were found there: they are not written again. computed may be one less
    std::vector<BlockId> blocks;    // of the first computed tokens at least; kNoBlock where one was given back
    std::vector<PrefixHash> names;  // of each full block of length(), as far as they were needed
    int64_t published = 0;          // blocks that were shared from others or offered to them
    std::vector<double> state_sum;  // with Goal::kEmbedding: [hidden], of the first summed_states tokens
    int64_t summed_states = 0;
    int64_t next_score = 1;     // with score_prompt: the first token of the prompt that was not scored yet
    uint64_t last_turn = 0;     // when it last got a share of a prefill: see Turns
    bool started_over = false;  // it was preempted: what it finds in the cache may be its own

    std::unique_ptr<Speculation> speculation;  // null while nothing was drafted
    std::exception_ptr constraint_error;       // what its constraint threw while drafts were tried: it ends before the next draw

    // for people
    int64_t cached_tokens = 0;  // of the prompt, found in the cache and not computed
    int64_t drafted_tokens = 0, kept_tokens = 0;
    std::shared_ptr<TokenChannel> channel;  // may be null in tests of the scheduler
    Clock::time_point submitted, started, first_token, last_token;
    bool has_started = false;

    int64_t length() const { return static_cast<int64_t>(tokens.size()) - drafted; }
    int64_t generated() const { return length() - prompt_tokens; }
    bool draws() const { return request.goal == Request::Goal::kAnswer && max_length > prompt_tokens; }

    /// How many tokens are to be computed, drafts aside: nothing is drawn from the last token of a prompt that is only scored.
    int64_t goal_length() const {
        if (draws() || request.goal == Request::Goal::kEmbedding) return length();
        return request.score_prompt ? prompt_tokens - 1 : 0;
    }
    int64_t remaining() const { return goal_length() - computed; }  // before the next token can be drawn

    /// What was computed before may stand in for its own tokens; not where every token's logits or states are wanted.
    bool may_reuse() const { return request.goal == Request::Goal::kAnswer && !request.score_prompt; }

    void drop_drafts() { keep_drafts(0); }
    void keep_drafts(int64_t count) {  // at most as many as there are
        tokens.resize(tokens.size() - static_cast<size_t>(drafted - count));
        drafted = count;
    }

    /// Adds the last hidden states [count, hidden] of the tokens from `computed` on to the sum, one after the other: in whatever chunks
    /// they come, the sum is the same.
    void add_states(std::span<const float> states, int64_t count);

    std::vector<float> mean_state() const;

    /// What it took until `now`.
    RequestStats stats(Clock::time_point now) const;
};

}  // namespace hearth
