// An engine that follows a script: what tests of the service, the routes and the page put in the place of a model that does such things.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "loaders/tokenizer/tokenizer.h"
#include "runtime/engine/engine.h"

namespace hearth::testing {

/// Holds scripts back until it is opened: what a test waits with in the place of time. Thread-safe.
class ScriptGate {
public:
    void open();
    bool is_open() const { return open_.load(); }

private:
    std::atomic<bool> open_{false};
};

/// One token of an answer.
struct ScriptToken {
    int32_t id = 0;
    int delay_ms = 0;                             // before it comes
    std::shared_ptr<const ScriptGate> gate = {};  // it comes once this is open
};

/// What becomes of one request.
struct ScriptedAnswer {
    std::optional<Refusal> refusal = {};  // then nothing else counts
    std::vector<ScriptToken> tokens = {};
    bool endless = false;  // the tokens come again and again, until somebody cancels or the length is reached
    FinishReason finish = FinishReason::kStop;
    std::string error = {};  // with kError, kNumericError and kTimeout
};

/// What is done with a request. Called from the thread that submits, one call at a time. May throw Error, as Engine::submit does.
using Script = std::function<ScriptedAnswer(const Request&)>;

/// Follows a script. Tokens come when they are read; max_tokens, the context, stop tokens and cancelling end an answer as they do in the
/// engine that runs models. Answers beyond options.max_sequences do not wait. Thread-safe.
class ScriptedEngine final : public Engine {
public:
    explicit ScriptedEngine(Script script, EngineOptions options = {});
    ~ScriptedEngine() override;

    Admission submit(Request request) override;
    EngineStats stats() const override;
    std::vector<StageTime> profile() const override { return {}; }
    const EngineOptions& options() const override { return options_; }

    std::vector<Request> requests() const;  // that were submitted so far

private:
    class Stream;
    struct Shared;
    const Script script_;
    EngineOptions options_;
    std::shared_ptr<Shared> shared_;
};

// Ready-made scripts. `tokenizer` must outlive what they make.

/// Says `text` and stops.
Script says(const Tokenizer& tokenizer, const std::string& text, int delay_ms = 0);

/// Says `text` again and again.
Script says_forever(const Tokenizer& tokenizer, const std::string& text, int delay_ms = 1);

/// Says `text` once `gate` is open.
Script says_behind(const Tokenizer& tokenizer, const std::string& text, std::shared_ptr<const ScriptGate> gate);

/// Says `text`, then ends with `finish` and `error`: kNumericError, kError, kTimeout.
Script fails_after(const Tokenizer& tokenizer, const std::string& text, FinishReason finish, const std::string& error);

/// Takes no request.
Script refuses(const std::string& message, int64_t retry_after_s = 1);

/// "<think>\nTHOUGHT\n</think>\n\nANSWER", as models of the Qwen3 kind write it.
Script thinks(const Tokenizer& tokenizer, const std::string& thought, const std::string& answer);

/// "<tool_call>\n{"name": NAME, "arguments": ARGUMENTS}\n</tool_call>", as models of the Hermes and Qwen kind write it. `arguments` is
/// JSON.
Script calls_tool(const Tokenizer& tokenizer, const std::string& name, const std::string& arguments);

/// Does whatever the prompt tells it: says what stands between the last `mark` and the end of that line. Says `otherwise` where there is
/// none.
Script obeys(const Tokenizer& tokenizer, const std::string& mark, const std::string& otherwise);

/// One script after the other, request by request; the last one for all that follow.
Script in_turn(std::vector<Script> scripts);

}  // namespace hearth::testing
