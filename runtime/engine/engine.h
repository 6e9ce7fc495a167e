// Runs requests on a model: one thread that owns all mutable state; everybody else holds a TokenStream.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/ops.h"
#include "runtime/model.h"

namespace hearth {

/// What is asked of the engine.
struct Request {
    std::vector<int32_t> prompt;  // not empty, each id in [0, vocab)
    SampleParams sampling;
    int64_t max_tokens = -1;           // of the answer; -1: what the context leaves room for
    std::vector<int32_t> stop_tokens;  // end the answer and are not part of it
};

enum class FinishReason : uint8_t {
    kStop,          // a stop token; a reader that finds a stop text says so too (chat/api/answer.cpp)
    kLength,        // max_tokens reached, or the context is full
    kCancelled,     // the reader cancelled or let go, or the engine ends
    kNumericError,  // logits that are not finite
    kError,         // see TokenEvent::error
};

std::string_view name_of(FinishReason reason);  // "stop", "length", ...

/// One token of an answer, or its end.
struct TokenEvent {
    int32_t token = -1;  // -1 in the last event, which has a reason
    std::optional<FinishReason> finish;
    bool context_full = false;  // with kLength: the context ended the answer, not max_tokens
    std::string error;          // with kError, kNumericError
    double decode_ms = 0;       // with a token: from the answer's first token to this one
};

/// What one answer took. Times on the steady clock, in milliseconds.
struct RequestStats {
    int64_t prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0;
    double queued_ms = 0, prefill_ms = 0, decode_ms = 0;  // submit to first step; to the first token; from there to the end
};

/// The receiving end of one answer. Any one thread may read; any thread may cancel. Letting go of the last pointer cancels.
class TokenStream {
public:
    virtual ~TokenStream() = default;

    /// The next event; waits up to timeout_ms (-1: for ever), and gives nothing
    /// when that passed. After the event with a reason, that event again.
    virtual std::optional<TokenEvent> next(int64_t timeout_ms = -1) = 0;

    /// The answer ends with kCancelled within a step; the tokens until then can still be read.
    virtual void cancel() = 0;

    virtual RequestStats stats() const = 0;
};

struct EngineOptions {
    int64_t context = 0;               // longest sequence, prompt and answer; at most model.max_context()
    int64_t max_sequences = 8;         // at once; more wait, first come first served
    int64_t max_step_tokens = 512;     // prefill chunk: decodes go on in between
    int64_t num_blocks = 0;            // of the KV cache; 0: enough for one sequence of `context` and a few short ones
    DType cache_dtype = DType::kBf16;  // or kI8, kF32: see KvCache
    bool profile = false;              // a clock around each stage of each step: see Engine::profile
};

/// What the engine holds; for memory plans and health.
struct EngineStats {
    int64_t running = 0, waiting = 0;
    int64_t blocks_in_use = 0, num_blocks = 0;
    int64_t steps = 0, tokens = 0;           // since the start, as what follows
    int64_t preemptions = 0, cancelled = 0;  // sequences that gave their blocks back; answers that ended with kCancelled
};

/// Continuous batching, first come first served. Thread-safe.
class Engine {
public:
    /// Starts the thread. Throws Error{kNoResources} when the cache does not fit in memory.
    Engine(std::shared_ptr<const Model> model, const EngineOptions& options);
    ~Engine();  // cancels what runs, joins the thread

    /// Throws Error{kBadInput} for an empty prompt or an id outside the vocabulary, Error{kTooLarge} with both numbers for a prompt
    /// that leaves no room for a single token in the context.
    std::shared_ptr<TokenStream> submit(Request request);

    EngineStats stats() const;

    /// Where the time of all steps so far went, the last one that a reader has a token of included; empty without options.profile.
    std::vector<StageTime> profile() const;

    const Model& model() const;
    const EngineOptions& options() const;  // as used: num_blocks and context filled in

    /// KV cache and workspace that an engine with these options takes, without making one.
    static int64_t planned_bytes(const ModelConfig& config, const EngineOptions& options);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace hearth
