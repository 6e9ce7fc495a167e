// The pipe between the engine thread and whoever reads an answer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "runtime/engine/request.h"

namespace hearth {

/// Both ends of one answer. The engine pushes and finishes, a TokenStream reads and cancels; either side may go first. Thread-safe.
class TokenChannel {
public:
    explicit TokenChannel(int64_t prompt_tokens) { stats_.prompt_tokens = prompt_tokens; }

    // the engine's side
    void push(std::span<const Token> tokens, const RequestStats& stats);
    void push_scores(std::span<const Token> scores);         // of the prompt, in order
    void push_embedding(std::vector<float> embedding);       // before finish()
    void finish(TokenEvent end, const RequestStats& stats);  // end.finish is set; once
    void abandon() noexcept;                                 // ends it with kError unless it has ended
    bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

    // the reader's side
    std::optional<TokenEvent> next(int64_t timeout_ms);
    void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
    RequestStats stats() const;
    std::vector<Token> prompt_scores() const;
    std::vector<float> embedding() const;

private:
    struct Drawn {
        Token token;
        double decode_ms;
    };
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Drawn> tokens_;  // that nobody has read
    std::vector<Token> scores_;
    std::vector<float> embedding_;
    std::optional<TokenEvent> end_;
    RequestStats stats_;
    std::atomic<bool> cancelled_{false};
};

/// A reading end; its destructor cancels.
std::shared_ptr<TokenStream> make_token_stream(std::shared_ptr<TokenChannel> channel);

}  // namespace hearth
