#include "tests/support/scripted_engine.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/text.h"

namespace hearth::testing {

using Clock = std::chrono::steady_clock;

void ScriptGate::open() { open_.store(true); }

/// What streams and their engine have in common; outlives both.
struct ScriptedEngine::Shared {
    mutable std::mutex mutex;
    EngineStats stats;
    std::vector<Request> requests;
    std::atomic<bool> ended{false};
};

/// One answer: it is written while it is read.
class ScriptedEngine::Stream final : public TokenStream {
public:
    Stream(std::shared_ptr<Shared> shared, ScriptedAnswer answer, Request request, int64_t context)
        : shared_(std::move(shared)), answer_(std::move(answer)), request_(std::move(request)), begun_(Clock::now()) {
        const int64_t room = context - std::ssize(request_.prompt);
        most_ = request_.max_tokens < 0 ? room : std::min(room, request_.max_tokens);
        context_ends_ = most_ == room;
        stats_.prompt_tokens = std::ssize(request_.prompt);
    }
    ~Stream() override {
        cancel();
        finish(FinishReason::kCancelled);
    }

    std::optional<TokenEvent> next(int64_t timeout_ms) override {
        const auto limit = Clock::now() + std::chrono::milliseconds(timeout_ms);
        while (!end_) {
            if (cancelled_ || shared_->ended) return finish(FinishReason::kCancelled);
            if (at_ == answer_.tokens.size() && answer_.endless && !answer_.tokens.empty()) at_ = 0;
            if (at_ == answer_.tokens.size()) return finish(answer_.finish);
            const ScriptToken& token = answer_.tokens[at_];
            const bool waits = (token.gate && !token.gate->is_open()) || Clock::now() < begun_ + std::chrono::milliseconds(token.delay_ms);
            if (!waits) return take(token);
            if (timeout_ms >= 0 && Clock::now() >= limit) return std::nullopt;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return end_;
    }

    void cancel() override { cancelled_ = true; }
    RequestStats stats() const override {
        const std::lock_guard lock(shared_->mutex);
        return stats_;
    }
    std::vector<Token> prompt_scores() const override { return {}; }
    std::vector<float> embedding() const override { return {}; }

private:
    std::optional<TokenEvent> take(const ScriptToken& token) {
        if (stats_.generated_tokens == most_) return finish(FinishReason::kLength);
        const bool stops = std::ranges::find(request_.stop_tokens, token.id) != request_.stop_tokens.end();
        if (stops && stats_.generated_tokens >= request_.min_tokens) return finish(FinishReason::kStop);
        ++at_;
        begun_ = Clock::now();
        const std::lock_guard lock(shared_->mutex);
        ++stats_.generated_tokens;
        ++shared_->stats.generated_tokens;
        ++shared_->stats.steps;
        TokenEvent event;
        event.token.id = token.id;
        return event;
    }

    std::optional<TokenEvent> finish(FinishReason reason) {
        if (end_) return end_;
        end_.emplace();
        end_->finish = reason;
        end_->context_full = reason == FinishReason::kLength && context_ends_;
        if (reason == answer_.finish) end_->error = answer_.error;
        const std::lock_guard lock(shared_->mutex);
        --shared_->stats.running;
        shared_->stats.cancelled += reason == FinishReason::kCancelled;
        return end_;
    }

    const std::shared_ptr<Shared> shared_;
    const ScriptedAnswer answer_;
    const Request request_;
    Clock::time_point begun_;  // of the wait for the next token
    int64_t most_ = 0;
    bool context_ends_ = false;
    size_t at_ = 0;
    std::optional<TokenEvent> end_;
    std::atomic<bool> cancelled_{false};
    RequestStats stats_;
};

ScriptedEngine::ScriptedEngine(Script script, EngineOptions options)
    : script_(std::move(script)), options_(options), shared_(std::make_shared<Shared>()) {
    if (options_.context == 0) options_.context = 1024;
}

ScriptedEngine::~ScriptedEngine() { shared_->ended = true; }

Admission ScriptedEngine::submit(Request request) {
    if (request.prompt.empty()) throw Error(ErrorKind::kBadInput, "the prompt is empty: expected at least one token");
    if (std::ssize(request.prompt) >= options_.context)
        throw Error(ErrorKind::kTooLarge,
                    cat("the prompt has ", request.prompt.size(), " tokens: maximum context length is ", options_.context));
    const std::lock_guard lock(shared_->mutex);
    shared_->requests.push_back(request);
    ScriptedAnswer answer = script_(request);
    if (answer.refusal) {
        ++shared_->stats.refused;
        return {.stream = nullptr, .refusal = std::move(answer.refusal)};
    }
    ++shared_->stats.running;
    shared_->stats.prompt_tokens += std::ssize(request.prompt);
    return {.stream = std::make_shared<Stream>(shared_, std::move(answer), std::move(request), options_.context), .refusal = {}};
}

EngineStats ScriptedEngine::stats() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->stats;
}

std::vector<Request> ScriptedEngine::requests() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->requests;
}

namespace {

ScriptedAnswer spoken(const Tokenizer& tokenizer, const std::string& text, int delay_ms = 0) {
    ScriptedAnswer out;
    // What a model writes may hold special tokens: the text counts as a template's.
    for (const int32_t id : tokenizer.encode({{text, true}})) out.tokens.push_back({.id = id, .delay_ms = delay_ms});
    return out;
}

}  // namespace

Script says(const Tokenizer& tokenizer, const std::string& text, int delay_ms) {
    return [&tokenizer, text, delay_ms](const Request&) { return spoken(tokenizer, text, delay_ms); };
}

Script says_forever(const Tokenizer& tokenizer, const std::string& text, int delay_ms) {
    return [&tokenizer, text, delay_ms](const Request&) {
        ScriptedAnswer out = spoken(tokenizer, text, delay_ms);
        out.endless = true;
        return out;
    };
}

Script says_behind(const Tokenizer& tokenizer, const std::string& text, std::shared_ptr<const ScriptGate> gate) {
    return [&tokenizer, text, gate](const Request&) {
        ScriptedAnswer out = spoken(tokenizer, text);
        for (ScriptToken& token : out.tokens) token.gate = gate;
        return out;
    };
}

Script fails_after(const Tokenizer& tokenizer, const std::string& text, FinishReason finish, const std::string& error) {
    return [&tokenizer, text, finish, error](const Request&) {
        ScriptedAnswer out = spoken(tokenizer, text);
        out.finish = finish;
        out.error = error;
        return out;
    };
}

Script refuses(const std::string& message, int64_t retry_after_s) {
    return [message, retry_after_s](const Request&) {
        ScriptedAnswer out;
        out.refusal = Refusal{.reason = Refusal::Reason::kQueueFull, .message = message, .retry_after_s = retry_after_s};
        return out;
    };
}

Script thinks(const Tokenizer& tokenizer, const std::string& thought, const std::string& answer) {
    return says(tokenizer, cat("<think>\n", thought, "\n</think>\n\n", answer));
}

Script calls_tool(const Tokenizer& tokenizer, const std::string& name, const std::string& arguments) {
    return says(tokenizer, cat("<tool_call>\n{\"name\": \"", name, "\", \"arguments\": ", arguments, "}\n</tool_call>"));
}

Script obeys(const Tokenizer& tokenizer, const std::string& mark, const std::string& otherwise) {
    return [&tokenizer, mark, otherwise](const Request& request) {
        const std::string prompt = tokenizer.decode(request.prompt, true);
        const size_t at = prompt.rfind(mark);
        if (at == std::string::npos) return spoken(tokenizer, otherwise);
        const size_t begin = at + mark.size();
        // A line ends with a line feed, or with the special token behind the message.
        const size_t end = prompt.find_first_of("\n<", begin);
        return spoken(tokenizer, std::string(trim(prompt.substr(begin, end == std::string::npos ? end : end - begin))));
    };
}

Script in_turn(std::vector<Script> scripts) {
    const auto calls = std::make_shared<size_t>(0);
    return [scripts = std::move(scripts), calls](const Request& request) {
        const size_t at = std::min((*calls)++, scripts.size() - 1);
        return scripts[at](request);
    };
}

}  // namespace hearth::testing
