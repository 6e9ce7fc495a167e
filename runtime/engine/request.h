// What is asked of an engine, and what comes back: plain data and the receiving end of an answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/ops.h"

namespace hearth {

class TokenConstraint;

/// Added to the logit of one id, after the penalties; -infinity: the id is never drawn.
struct LogitBias {
    int32_t id = 0;
    float value = 0;
};

/// What is asked of the engine.
struct Request {
    enum class Goal : uint8_t {
        kAnswer,     // tokens, drawn one after the other
        kEmbedding,  // no tokens: the mean of the last hidden states of the prompt, see TokenStream::embedding
    };
    Goal goal = Goal::kAnswer;
    std::vector<int32_t> prompt;  // not empty, each id in [0, vocab)
    SampleParams sampling;
    int64_t max_tokens = -1;           // of the answer; -1: what the context leaves room for
    int64_t min_tokens = 0;            // of the answer; before them no stop token is drawn
    std::vector<int32_t> stop_tokens;  // end the answer and are not part of it
    std::vector<LogitBias> logit_bias;
    int32_t top_log_probabilities = -1;  // -1: none; 0: of each drawn token; up to kMaxTopLogProbabilities: and so many of the most likely
    bool score_prompt = false;           // the same for each token of the prompt but the first: see TokenStream::prompt_scores
    std::shared_ptr<TokenConstraint> constraint;  // of this answer alone; the engine's thread calls it from now on

    /// Whose request this is: an opaque number, 0 for this machine's user. Owners take turns, and nobody's answer is quicker because
    /// somebody else has sent the same prompt.
    uint64_t owner = 0;
    std::optional<std::chrono::steady_clock::time_point> deadline;  // then the answer ends with kTimeout, however far it is
    bool speculate = true;                                          // tokens may be drafted and verified: no answer changes by it
};

enum class FinishReason : uint8_t {
    kStop,          // a stop token; a reader that finds a stop text says so too (chat/api/answer.cpp)
    kLength,        // max_tokens reached, or the context is full
    kCancelled,     // the reader cancelled or let go, or the engine ends
    kTimeout,       // the deadline passed, or the request waited longer than EngineOptions::max_wait_ms for its first step
    kNumericError,  // logits that are not finite
    kError,         // see TokenEvent::error
};

std::string_view name_of(FinishReason reason);  // "stop", "length", ...

struct TokenProbability {
    int32_t id = -1;
    float log_probability = 0;  // natural logarithm, of the model's own distribution: no penalty, bias, mask or temperature is in it
};

/// A token that was drawn, or one of the prompt that was scored.
struct Token {
    int32_t id = -1;
    float log_probability = 0;          // as in TokenProbability, where the request asked for it
    std::vector<TokenProbability> top;  // the most likely ones in falling order, as many as were asked for
};

/// One token of an answer, or its end.
struct TokenEvent {
    Token token;                         // its id is -1 in the last event, which has a reason
    std::optional<FinishReason> finish;  // only the last event has one
    bool context_full = false;           // with kLength: the context ended the answer, not max_tokens
    std::string error;                   // with kError, kNumericError, kTimeout
    double decode_ms = 0;                // with a token: from the answer's first token to this one
};

/// What one answer took. Times on the steady clock, in milliseconds.
struct RequestStats {
    int64_t prompt_tokens = 0;
    int64_t cached_tokens = 0;                            // of the prompt, that were not computed because the cache held them
    int64_t generated_tokens = 0;                         // of the answer, no stop token among them
    int64_t drafted_tokens = 0, kept_tokens = 0;          // drafts that were verified, and those of them that became part of the answer
    double queued_ms = 0, prefill_ms = 0, decode_ms = 0;  // submit to first step; to the first token; from there to the end
};

/// The receiving end of one answer. Any one thread may read; any thread may cancel. Letting go of the last pointer cancels.
class TokenStream {
public:
    virtual ~TokenStream() = default;

    /// The next event; waits up to timeout_ms (-1: for ever), and gives nothing when that passed. After the event with a reason, that event
    /// again.
    virtual std::optional<TokenEvent> next(int64_t timeout_ms = -1) = 0;

    /// The answer ends with kCancelled within a step; the tokens until then can still be read.
    virtual void cancel() = 0;

    virtual RequestStats stats() const = 0;

    /// With Request::score_prompt: the prompt's tokens from the second on. Whole once an event was given.
    virtual std::vector<Token> prompt_scores() const = 0;

    /// With Goal::kEmbedding: [hidden], once the last event was given with kStop; not normalised.
    virtual std::vector<float> embedding() const = 0;
};

}  // namespace hearth
