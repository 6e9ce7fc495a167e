// One request on its way through the engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/ops.h"
#include "runtime/block_pool.h"
#include "runtime/engine/engine.h"

namespace hearth {

class TokenChannel;

/// A request's tokens, and how far it has come. Owned by the Scheduler, touched by the engine thread alone.
struct Sequence {
    using Clock = std::chrono::steady_clock;

    Sequence() = default;
    ~Sequence();  // a reader that was not told of an end is told that this one is lost: nobody waits for ever
    Sequence(const Sequence&) = delete;
    Sequence& operator=(const Sequence&) = delete;

    std::vector<int32_t> tokens;  // the prompt, then the answer
    int64_t prompt_tokens = 0;
    int64_t cached_tokens = 0;    // of the prompt, whose k and v were in the cache already when it began: 0 as long as nothing is reused
    int64_t max_length = 0;       // tokens may grow to this
    bool context_limits = false;  // max_length is where the context ends, not where the request does
    SampleParams sampling;
    std::vector<int32_t> stop_tokens;

    int64_t computed = 0;         // tokens whose k and v are in the cache: less than tokens.size()
    std::vector<BlockId> blocks;  // of the first computed tokens at least

    std::shared_ptr<TokenChannel> channel;  // may be null in tests of the scheduler
    Clock::time_point submitted, started, first_token;
    bool has_started = false;

    int64_t length() const { return static_cast<int64_t>(tokens.size()); }
    int64_t generated() const { return length() - prompt_tokens; }
    int64_t remaining() const { return length() - computed; }  // to be computed before the next token can be drawn

    /// What it took until `now`.
    RequestStats stats(Clock::time_point now) const;
};

}  // namespace hearth
