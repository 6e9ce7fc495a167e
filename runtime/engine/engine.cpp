#include "runtime/engine/engine.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/start_thread.h"
#include "base/text.h"
#include "runtime/engine/admission.h"
#include "runtime/engine/sampler.h"
#include "runtime/engine/scheduler.h"
#include "runtime/engine/token_stream.h"

namespace hearth {
namespace {

constexpr int64_t kRoomAhead = 4096;  // tokens of an answer that memory is set aside for at once

using Clock = Sequence::Clock;

TokenEvent end_event(FinishReason reason, std::string error = {}) {
    return {.token = -1, .finish = reason, .context_full = false, .error = std::move(error)};
}

/// With what went wrong, where there is memory to say it.
TokenEvent failure_event(const std::exception& error) noexcept {
    try {
        return end_event(FinishReason::kError, error.what());
    } catch (const std::exception&) {
        return end_event(FinishReason::kError);
    }
}

}  // namespace

std::string_view name_of(FinishReason reason) {
    switch (reason) {
        case FinishReason::kStop: return "stop";
        case FinishReason::kLength: return "length";
        case FinishReason::kCancelled: return "cancelled";
        case FinishReason::kNumericError: return "numeric_error";
        case FinishReason::kError: return "error";
    }
    return "?";
}

/// Everything below "engine thread" is touched by that thread alone.
class Engine::Impl {
public:
    Impl(std::shared_ptr<const Model> model, const EngineOptions& options);
    ~Impl();
    std::shared_ptr<TokenStream> submit(Request request);
    EngineStats stats() const;
    std::vector<StageTime> profile() const;

    const std::shared_ptr<const Model> model_;
    const EngineOptions options_;

private:
    void run();
    bool take_inbox();
    void end_cancelled();
    void step();
    std::span<const int32_t> compute();
    void accept(Sequence& sequence, int32_t token);
    void accept_all(std::span<const int32_t> ids);
    void end(Sequence& sequence, TokenEvent event) noexcept;
    void end_running(const std::exception& error) noexcept;
    void publish_stats();
    void publish_profile();

    // engine thread
    KvCache cache_;
    Model::Workspace workspace_;
    Sampler sampler_;
    Scheduler scheduler_;
    Batch batch_;
    std::vector<Scheduler::Work> planned_;  // this step's
    std::vector<Sampler::Row> rows_;        // of those that draw
    std::vector<Sequence*> cancelled_;
    Profile profile_;

    // any thread
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::unique_ptr<Sequence>> inbox_;
    std::vector<StageTime> published_;  // a copy of profile_
    bool stopping_ = false;
    std::atomic<bool> has_mail_{false};  // inbox_ or stopping_ changed: spares a busy engine the lock
    std::atomic<int64_t> running_{0}, waiting_{0}, blocks_in_use_{0}, steps_{0}, tokens_{0};
    std::atomic<int64_t> preemptions_{0}, ended_cancelled_{0};

    std::thread thread_;  // last: starts when all else stands
};

Engine::Impl::Impl(std::shared_ptr<const Model> model, const EngineOptions& options)
    : model_(std::move(model)),
      options_(resolve_options(options, model_->max_context())),
      cache_(model_->config(), model_->backend(), options_.num_blocks, options_.cache_dtype),
      workspace_(*model_, options_.max_step_tokens, options_.max_sequences),
      sampler_(model_->backend(), options_.max_sequences, model_->config().vocab),
      scheduler_({options_.max_sequences, options_.max_step_tokens, options_.context}, static_cast<int32_t>(options_.num_blocks)) {
    workspace_.reserve_scratch(sampler_.workspace_bytes());
    if (options_.profile) workspace_.set_profile(&profile_);
    thread_ = start_thread("the engine", [this] { run(); });
}

Engine::Impl::~Impl() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        has_mail_.store(true);
    }
    arrived_.notify_one();
    thread_.join();
}

std::shared_ptr<TokenStream> Engine::Impl::submit(Request request) {
    check_request(request, model_->config().vocab, options_.context);
    const auto prompt = static_cast<int64_t>(request.prompt.size()), room = options_.context - prompt;
    const bool context_limits = request.max_tokens < 0 || request.max_tokens > room;
    const int64_t answer = context_limits ? room : request.max_tokens;
    auto channel = std::make_shared<TokenChannel>(prompt, std::min(answer, kRoomAhead));
    auto stream = make_token_stream(channel);
    if (answer == 0) {
        channel->finish(end_event(FinishReason::kLength), channel->stats());
        return stream;
    }
    auto sequence = std::make_unique<Sequence>();
    sequence->tokens = std::move(request.prompt);
    sequence->tokens.reserve(static_cast<size_t>(prompt + std::min(answer, kRoomAhead)));
    sequence->prompt_tokens = prompt;
    sequence->max_length = prompt + answer;
    sequence->context_limits = context_limits;
    sequence->sampling = request.sampling;
    sequence->stop_tokens = std::move(request.stop_tokens);
    sequence->channel = std::move(channel);
    sequence->submitted = Clock::now();
    {
        const std::lock_guard lock(mutex_);
        inbox_.push_back(std::move(sequence));
        has_mail_.store(true);
    }
    arrived_.notify_one();
    return stream;
}

void Engine::Impl::run() {
    for (bool going = true; going;) {
        try {
            going = take_inbox();
            if (!going) break;
            end_cancelled();
            if (!scheduler_.empty()) step();
        } catch (const std::exception& error) {
            end_running(error);
        }
    }
    while (Sequence* s = scheduler_.oldest()) end(*s, end_event(FinishReason::kCancelled));
}

/// Hands new sequences to the scheduler; waits for one while there is nothing to do. False: the engine ends.
bool Engine::Impl::take_inbox() {
    if (!scheduler_.empty() && !has_mail_.load()) return true;
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return stopping_ || !inbox_.empty() || !scheduler_.empty(); });
    while (!inbox_.empty()) {
        auto sequence = std::move(inbox_.front());
        inbox_.pop_front();
        scheduler_.add(std::move(sequence));
    }
    has_mail_.store(stopping_);
    publish_stats();
    return !stopping_;
}

void Engine::Impl::end_cancelled() {
    cancelled_.clear();
    scheduler_.for_each([&](Sequence& s) {
        if (s.channel->cancelled()) cancelled_.push_back(&s);
    });
    for (Sequence* s : cancelled_) end(*s, end_event(FinishReason::kCancelled));
}

/// One step. What goes wrong in computing it ends the sequences that were
/// part of it, and no other; what goes wrong in planning it, those that run.
void Engine::Impl::step() {
    planned_ = scheduler_.plan();
    std::span<const int32_t> ids;
    try {
        ids = compute();
    } catch (const std::exception& error) {
        for (const auto& work : planned_) end(*work.sequence, failure_event(error));
        return;
    }
    scheduler_.commit();
    steps_.fetch_add(1, std::memory_order_relaxed);
    tokens_.fetch_add(batch_.num_tokens(), std::memory_order_relaxed);
    publish_stats();
    if (options_.profile) publish_profile();  // before a reader has a token of this step
    accept_all(ids);
}

/// The token of each sequence that drew one. One for which there is no memory ends, and no other.
void Engine::Impl::accept_all(std::span<const int32_t> ids) {
    size_t next = 0;
    for (const auto& work : planned_) {
        if (!work.draws) continue;
        try {
            accept(*work.sequence, ids[next++]);
        } catch (const std::exception& error) {
            end(*work.sequence, failure_event(error));  // it still runs: end() throws nothing
        }
    }
}

/// Runs the model on what was planned; the drawn tokens, one of each work that draws.
std::span<const int32_t> Engine::Impl::compute() {
    int64_t width = 0;
    for (const auto& work : planned_) width = std::max(width, ceil_div(work.sequence->computed + work.count, kBlockTokens));
    batch_.begin(width);
    rows_.clear();
    const auto now = Clock::now();
    for (const auto& work : planned_) {
        Sequence& s = *work.sequence;
        if (!std::exchange(s.has_started, true)) s.started = now;
        const std::span<const int32_t> tokens(s.tokens);
        batch_.add(tokens.subspan(static_cast<size_t>(s.computed), static_cast<size_t>(work.count)), s.computed, s.blocks,
                   work.draws ? 1 : 0);
        if (work.draws) rows_.push_back({&s.sampling, tokens, s.prompt_tokens});
    }
    const auto logits = model_->forward(batch_, cache_, workspace_);
    if (rows_.empty()) return {};
    const auto before = Clock::now();
    const auto ids = sampler_.draw(logits, rows_, workspace_.stream());
    if (options_.profile)
        profile_.add("sample", std::chrono::duration<double>(Clock::now() - before).count(), logits.size() * int64_t{sizeof(float)}, 0);
    return ids;
}

void Engine::Impl::accept(Sequence& s, int32_t token) {
    if (token < 0) {
        end(s, end_event(FinishReason::kNumericError, cat("the logits of token ", s.length(), " are not finite")));
        return;
    }
    const auto now = Clock::now();
    if (s.generated() == 0) s.first_token = now;
    if (std::ranges::find(s.stop_tokens, token) != s.stop_tokens.end()) {
        end(s, end_event(FinishReason::kStop));
        return;
    }
    s.tokens.push_back(token);
    s.channel->push(token, s.stats(now));
    if (s.length() == s.max_length) {
        TokenEvent event = end_event(FinishReason::kLength);
        event.context_full = s.context_limits;
        end(s, std::move(event));
    }
}

/// Blocks are back and counted before the reader learns of the end. Needs no memory.
void Engine::Impl::end(Sequence& sequence, TokenEvent event) noexcept {
    const auto owned = scheduler_.remove(&sequence);
    if (event.finish == FinishReason::kCancelled) ended_cancelled_.fetch_add(1, std::memory_order_relaxed);
    publish_stats();
    owned->channel->finish(std::move(event), owned->stats(Clock::now()));
}

/// Nobody knows how far a step came that went wrong while it was planned: those that run end, or where none does the first that waits.
/// The engine goes on with the others.
void Engine::Impl::end_running(const std::exception& error) noexcept {
    for (int64_t left = std::max<int64_t>(scheduler_.num_running(), 1); left > 0; --left) {
        if (Sequence* sequence = scheduler_.oldest()) end(*sequence, failure_event(error));
    }
}

void Engine::Impl::publish_stats() {
    running_.store(scheduler_.num_running(), std::memory_order_relaxed);
    waiting_.store(scheduler_.num_waiting(), std::memory_order_relaxed);
    blocks_in_use_.store(scheduler_.pool().num_in_use(), std::memory_order_relaxed);
    preemptions_.store(scheduler_.num_preemptions(), std::memory_order_relaxed);
}

void Engine::Impl::publish_profile() {
    const std::lock_guard lock(mutex_);
    published_ = profile_.stages();
}

std::vector<StageTime> Engine::Impl::profile() const {
    const std::lock_guard lock(mutex_);
    return published_;
}

EngineStats Engine::Impl::stats() const {
    const std::lock_guard lock(mutex_);
    EngineStats out;
    out.running = running_.load(std::memory_order_relaxed);
    out.waiting = waiting_.load(std::memory_order_relaxed) + static_cast<int64_t>(inbox_.size());
    out.blocks_in_use = blocks_in_use_.load(std::memory_order_relaxed);
    out.num_blocks = options_.num_blocks;
    out.steps = steps_.load(std::memory_order_relaxed);
    out.tokens = tokens_.load(std::memory_order_relaxed);
    out.preemptions = preemptions_.load(std::memory_order_relaxed);
    out.cancelled = ended_cancelled_.load(std::memory_order_relaxed);
    return out;
}

Engine::Engine(std::shared_ptr<const Model> model, const EngineOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), options)) {}
Engine::~Engine() = default;

std::shared_ptr<TokenStream> Engine::submit(Request request) { return impl_->submit(std::move(request)); }
EngineStats Engine::stats() const { return impl_->stats(); }
std::vector<StageTime> Engine::profile() const { return impl_->profile(); }
const Model& Engine::model() const { return *impl_->model_; }
const EngineOptions& Engine::options() const { return impl_->options_; }

int64_t Engine::planned_bytes(const ModelConfig& config, const EngineOptions& options) {
    const EngineOptions o = resolve_options(options, options.context > 0 ? options.context : config.context);
    return o.num_blocks * KvCache::bytes_per_block(config, o.cache_dtype) +
           Model::Workspace::activation_bytes(config, o.max_step_tokens, o.max_sequences);
}

}  // namespace hearth
