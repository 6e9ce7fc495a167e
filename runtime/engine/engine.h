// The contract of an engine: requests go in, streams of tokens come out. model_engine.h runs a model; tests have one that follows a script.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/dtype.h"
#include "runtime/engine/histogram.h"
#include "runtime/engine/request.h"
#include "runtime/profile.h"

namespace hearth {

struct EngineOptions {
    int64_t context = 0;               // longest sequence, prompt and answer; at most model.max_context()
    int64_t max_sequences = 8;         // at once; more wait
    int64_t max_waiting = 0;           // more are refused; 0: eight times max_sequences
    int64_t max_waiting_tokens = 0;    // prompt tokens of those that wait; more are refused; 0: eight times what the cache holds
    int64_t max_wait_ms = 120'000;     // for the first step; then the answer ends with kTimeout
    int64_t max_step_tokens = 512;     // of all sequences together
    int64_t num_blocks = 0;            // of the KV cache; 0: enough for one sequence of `context` and a few short ones
    DType cache_dtype = DType::kBf16;  // or kI8, kF32: see KvCache
    int64_t max_drafts = 16;           // tokens drafted for a sequence in one step, at most; 0: no speculation
    bool adapt_drafts = true;          // to what they bring; false: always as many as there are, up to max_drafts
    bool draft_from_text = true;       // from what the text has said before; false: from a drafter alone
    bool profile = false;              // a clock around each stage of each step: see Engine::profile
};

/// What the engine holds; for memory plans and health.
struct EngineStats {
    int64_t running = 0, waiting = 0;
    int64_t blocks_in_use = 0, num_blocks = 0;
    int64_t steps = 0, tokens = 0;                 // since the start, as all that follows; tokens: computed, of prompts and answers
    int64_t preemptions = 0, cancelled = 0;        // sequences that gave their blocks back; answers that ended with kCancelled
    int64_t refused = 0;                           // requests
    int64_t prompt_tokens = 0, cached_tokens = 0;  // of answers that have begun
    int64_t generated_tokens = 0, drafted_tokens = 0, kept_tokens = 0;
    Histogram first_token, between_tokens;  // from submit() to an answer's first token; from one to the next
    double since_step_s = 0;                // that work has waited without a step having ended: of an engine that lives never long
};

/// Why a request was not taken. Nothing of it is kept.
struct Refusal {
    enum class Reason : uint8_t { kQueueFull, kTooManyTokens };
    Reason reason = Reason::kQueueFull;
    std::string message;        // with the limit and what was found
    int64_t retry_after_s = 1;  // when it may be worth a try
};

/// What became of a request: one of the two.
struct Admission {
    std::shared_ptr<TokenStream> stream;
    std::optional<Refusal> refusal;
};

/// Thread-safe.
class Engine {
public:
    virtual ~Engine() = default;  // cancels what runs

    /// Waits for nothing. Throws Error{kBadInput} for an empty prompt, an id outside the vocabulary or a parameter outside its range,
    /// Error{kTooLarge} with both numbers for a prompt that leaves no room for a single token in the context.
    virtual Admission submit(Request request) = 0;

    virtual EngineStats stats() const = 0;

    /// Where the time of all steps so far went, the last one that a reader has a token of included; empty without options.profile.
    virtual std::vector<StageTime> profile() const = 0;

    virtual const EngineOptions& options() const = 0;  // as used, with what was 0 filled in
};

/// What submit() gave, where a request that is refused is an error: throws Error{kNoResources}.
std::shared_ptr<TokenStream> submit_or_throw(Engine& engine, Request request);

}  // namespace hearth
