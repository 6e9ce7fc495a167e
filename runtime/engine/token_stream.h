// The pipe between the engine thread and whoever reads an answer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/engine/engine.h"

namespace hearth {

/// Both ends of one answer. The engine pushes and finishes, a TokenStream reads and cancels; either side may go first. Thread-safe.
class TokenChannel {
public:
    /// Room for `tokens` is made at once, so that pushing seldom allocates.
    TokenChannel(int64_t prompt_tokens, int64_t tokens);

    // the engine's side
    void push(int32_t token, const RequestStats& stats);
    void finish(TokenEvent end, const RequestStats& stats);  // end.finish is set; once
    void abandon() noexcept;                                 // ends it with kError unless it has ended
    bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

    // the reader's side
    std::optional<TokenEvent> next(int64_t timeout_ms);
    void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
    RequestStats stats() const;

private:
    struct Drawn {
        int32_t token;
        float decode_ms;
    };
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Drawn> tokens_;
    size_t read_ = 0;
    std::optional<TokenEvent> end_;
    RequestStats stats_;
    std::atomic<bool> cancelled_{false};
};

/// A reading end; its destructor cancels.
std::shared_ptr<TokenStream> make_token_stream(std::shared_ptr<TokenChannel> channel);

}  // namespace hearth
