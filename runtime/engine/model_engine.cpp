#include "runtime/engine/model_engine.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/start_thread.h"
#include "base/text.h"
#include "runtime/engine/admission.h"
#include "runtime/engine/allowed.h"
#include "runtime/engine/gate.h"
#include "runtime/engine/step_runner.h"
#include "runtime/engine/token_channel.h"
#include "runtime/schedule/scheduler.h"
#include "runtime/schedule/step_cost.h"
#include "runtime/speculate/model_drafter.h"
#include "runtime/speculate/speculator.h"

namespace hearth {
namespace {

using Clock = Sequence::Clock;

TokenEvent end_event(FinishReason reason, std::string error = {}) {
    return {.token = {}, .finish = reason, .context_full = false, .error = std::move(error)};
}

/// With what went wrong, where there is memory to say it.
TokenEvent failure_event(const std::exception& error) noexcept {
    try {
        return end_event(FinishReason::kError, error.what());
    } catch (const std::exception&) {
        return end_event(FinishReason::kError);
    }
}

/// The largest window of all layers, 0 where one of them sees everything.
int64_t largest_window(const ModelConfig& config) {
    int64_t largest = 0;
    for (const int64_t window : config.windows) {
        if (window == 0) return 0;
        largest = std::max(largest, window);
    }
    return largest;
}

}  // namespace

MakeDrafter draft_with(const Model& model, std::shared_ptr<const Model> draft) {
    if (!draft) return {};
    if (draft->config().vocab != model.config().vocab) {
        throw Error(ErrorKind::kBadInput, cat("the draft model has a vocabulary of ", draft->config().vocab, " tokens: expected the ",
                                              model.config().vocab, " of the model that it drafts for"));
    }
    return [draft = std::move(draft)](const EngineOptions& options) { return std::make_unique<ModelDrafter>(draft, options); };
}

/// Everything below "engine thread" is touched by that thread alone.
class ModelEngine::Impl {
public:
    Impl(std::shared_ptr<const Model> model, const EngineOptions& options, const MakeDrafter& drafter);
    ~Impl();
    Admission submit(Request request);
    EngineStats stats() const;
    std::vector<StageTime> profile() const;

    const EngineOptions options_;
    StepRunner runner_;  // engine thread; its model is anybody's

private:
    void run();
    bool take_inbox();
    void end_overdue();
    void step();
    void mask_all(const Plan& plan);
    std::span<const Outcome> compute(const Plan& plan);
    void deliver(const Committed& committed);
    void count_tokens(Sequence& sequence, int64_t count, Clock::time_point now);
    void begin(Sequence& sequence, Clock::time_point now);
    void end(Sequence& sequence, TokenEvent event) noexcept;
    void end_running(const std::exception& error) noexcept;
    void publish_stats();

    // engine thread
    Scheduler scheduler_;
    Speculator speculator_;
    StepCost cost_;
    std::vector<std::pair<Sequence*, TokenEvent>> overdue_;
    std::vector<std::pair<Sequence*, TokenEvent>> failed_;

    // any thread
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::unique_ptr<Sequence>> inbox_;
    AdmissionGate gate_;
    EngineStats stats_;
    Clock::time_point last_step_ = Clock::now();
    std::vector<StageTime> published_;  // a copy of the runner's profile
    bool stopping_ = false;
    std::atomic<bool> has_mail_{false};  // inbox_ or stopping_ changed: spares a busy engine the lock

    std::thread thread_;  // last: starts when all else stands
};

ModelEngine::Impl::Impl(std::shared_ptr<const Model> model, const EngineOptions& options, const MakeDrafter& drafter)
    : options_(resolve_options(options, model->max_context())),
      runner_(model, options_, StepRunner::max_rows(options_)),
      scheduler_({.max_sequences = options_.max_sequences,
                  .max_step_tokens = options_.max_step_tokens,
                  .max_step_rows = StepRunner::max_rows(options_),
                  .max_length = options_.context,
                  .window = largest_window(model->config())},
                 static_cast<int32_t>(options_.num_blocks)),
      speculator_(options_.max_drafts, drafter ? drafter(options_) : nullptr, options_.draft_from_text, options_.adapt_drafts),
      gate_(options_) {
    stats_.num_blocks = options_.num_blocks;
    thread_ = start_thread("the engine", [this] { run(); });
}

ModelEngine::Impl::~Impl() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        has_mail_.store(true);
    }
    arrived_.notify_one();
    thread_.join();
}

Admission ModelEngine::Impl::submit(Request request) {
    check_request(request, runner_.model().config().vocab, options_.context);
    auto [sequence, channel] = make_sequence(std::move(request), runner_.model().config().vocab, options_.context);
    auto stream = make_token_stream(channel);
    if (sequence->goal_length() <= 0) {
        channel->finish(end_event(FinishReason::kLength), channel->stats());
        return {.stream = std::move(stream), .refusal = {}};
    }
    {
        const std::lock_guard lock(mutex_);
        if (auto refusal = gate_.enter(sequence->prompt_tokens)) return {.stream = nullptr, .refusal = std::move(refusal)};
        try {
            inbox_.push_back(nullptr);  // memory first: where there is none, the request has not entered
        } catch (...) {
            gate_.leave(sequence->prompt_tokens);
            throw;
        }
        inbox_.back() = std::move(sequence);
        has_mail_.store(true);
    }
    arrived_.notify_one();
    return {.stream = std::move(stream), .refusal = {}};
}

void ModelEngine::Impl::run() {
    for (bool going = true; going;) {
        try {
            going = take_inbox();
            if (!going) break;
            end_overdue();
            if (!scheduler_.empty()) step();
        } catch (const std::exception& error) {
            end_running(error);
        }
    }
    while (Sequence* s = scheduler_.oldest()) end(*s, end_event(FinishReason::kCancelled));
}

/// Hands new sequences to the scheduler; waits for one while there is nothing to do. False: the engine ends.
bool ModelEngine::Impl::take_inbox() {
    if (!scheduler_.empty() && !has_mail_.load()) return true;
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return stopping_ || !inbox_.empty() || !scheduler_.empty(); });
    if (scheduler_.empty()) last_step_ = Clock::now();  // nothing was to be done: it has not stood still
    while (!inbox_.empty()) {
        auto sequence = std::move(inbox_.front());
        inbox_.pop_front();
        const int64_t prompt_tokens = sequence->prompt_tokens;
        try {
            scheduler_.add(std::move(sequence));
        } catch (const std::exception&) {  // no memory: its destructor has told its reader, and nobody else is concerned
            gate_.leave(prompt_tokens);
        }
        stats_.waiting = scheduler_.num_waiting();
    }
    has_mail_.store(stopping_);
    return !stopping_;
}

/// Those whose reader left, and those for whom it is too late.
void ModelEngine::Impl::end_overdue() {
    overdue_.clear();
    const auto now = Clock::now();
    const auto longest_wait = std::chrono::milliseconds(options_.max_wait_ms);
    scheduler_.for_each([&](Sequence& s) {
        if (s.channel->cancelled()) {
            overdue_.emplace_back(&s, end_event(FinishReason::kCancelled));
        } else if (s.request.deadline && now >= *s.request.deadline) {
            overdue_.emplace_back(&s, end_event(FinishReason::kTimeout, "the answer's deadline has passed"));
        } else if (!s.has_started && now - s.submitted > longest_wait) {
            overdue_.emplace_back(&s, end_event(FinishReason::kTimeout, cat("it waited ", options_.max_wait_ms / 1000, " s for its turn")));
        }
    });
    for (auto& [s, event] : overdue_) end(*s, std::move(event));
}

/// One step. What goes wrong in computing it ends the sequences that were part of it, and no other; what goes wrong in planning it, those
/// that run.
void ModelEngine::Impl::step() {
    try {
        speculator_.draft(scheduler_, cost_);
    } catch (const std::exception&) {  // memory, or a variant: answers go on without guesses
        scheduler_.for_each([](Sequence& s) { s.drop_drafts(); });
    }
    const Plan& plan = scheduler_.plan(cost_.prefill_tokens());
    mask_all(plan);
    if (plan.work.empty()) return;
    const int64_t tokens = plan.tokens;
    std::span<const Outcome> outcomes;
    try {
        outcomes = compute(plan);
    } catch (const std::exception& error) {
        while (!plan.work.empty()) end(*plan.work.back().sequence, failure_event(error));  // which takes it out of the plan
        return;
    }
    const auto& all = scheduler_.commit(outcomes);
    {
        const std::lock_guard lock(mutex_);
        ++stats_.steps;
        stats_.tokens += tokens;
        last_step_ = Clock::now();
        if (options_.profile) published_ = runner_.profile().stages();  // before a reader has a token of this step
    }
    publish_stats();
    for (const Committed& committed : all) {
        speculator_.learn(*committed.sequence);
        deliver(committed);
    }
}

/// A constraint that fails ends its own answer.
void ModelEngine::Impl::mask_all(const Plan& plan) {
    failed_.clear();
    runner_.begin_masks();
    for (const Work& work : plan.work) {
        try {
            if (work.sequence->constraint_error) std::rethrow_exception(work.sequence->constraint_error);
            runner_.mask(work);
        } catch (const std::exception& error) {
            failed_.emplace_back(work.sequence, failure_event(error));
        }
    }
    for (auto& [sequence, event] : failed_) end(*sequence, std::move(event));
}

std::span<const Outcome> ModelEngine::Impl::compute(const Plan& plan) {
    const auto now = Clock::now();
    int64_t decode_tokens = 0, prefill_tokens = 0;
    for (const Work& work : plan.work) {
        (work.sequence->generated() > 0 ? decode_tokens : prefill_tokens) += work.count;
        if (!work.sequence->has_started) begin(*work.sequence, now);
    }
    const auto outcomes = runner_.run(plan);
    cost_.add(decode_tokens, prefill_tokens, runner_.run_ms());
    return outcomes;
}

void ModelEngine::Impl::begin(Sequence& s, Clock::time_point now) {
    s.has_started = true;
    s.started = now;
    const std::lock_guard lock(mutex_);
    gate_.leave(s.prompt_tokens);
    stats_.prompt_tokens += s.prompt_tokens;
}

void ModelEngine::Impl::deliver(const Committed& committed) {
    Sequence& s = *committed.sequence;
    const auto now = Clock::now();
    TokenEvent event;
    try {
        s.channel->push_scores(committed.scored);
        const int64_t before = s.generated() - std::ssize(committed.appended);
        if (before == 0 && s.draws() && (!committed.appended.empty() || committed.finish)) s.first_token = now;
        if (!committed.appended.empty()) {
            count_tokens(s, std::ssize(committed.appended), now);
            s.channel->push(committed.appended, s.stats(now));
        }
        if (!committed.finish) return;
        if (s.request.goal == Request::Goal::kEmbedding && committed.finish == FinishReason::kStop)
            s.channel->push_embedding(s.mean_state());
        event = end_event(*committed.finish, committed.error);
        event.context_full = committed.context_full;
        if (committed.finish == FinishReason::kNumericError && s.draws()) {
            std::string why = why_nothing_is_allowed(s, runner_.model().config().vocab);
            if (!why.empty()) event = end_event(FinishReason::kError, std::move(why));
        }
    } catch (const std::exception& error) {  // no memory for this token: its answer ends, and no other
        return end(s, failure_event(error));
    }
    end(s, std::move(event));
}

/// Tokens that come with one step are that step's time apart, all of them together.
void ModelEngine::Impl::count_tokens(Sequence& s, int64_t count, Clock::time_point now) {
    const auto ms = [&](Clock::time_point since) { return std::chrono::duration<double, std::milli>(now - since).count(); };
    const std::lock_guard lock(mutex_);
    if (s.generated() == count) {
        stats_.first_token.add(ms(s.submitted));
    } else {
        stats_.between_tokens.add(ms(s.last_token));
    }
    for (int64_t i = 1; i < count; ++i) stats_.between_tokens.add(0);
    s.last_token = now;
}

/// Blocks are back and counted before the reader learns of the end. Needs no memory.
void ModelEngine::Impl::end(Sequence& sequence, TokenEvent event) noexcept {
    speculator_.forget(sequence);
    const auto owned = scheduler_.remove(&sequence, event.finish != FinishReason::kNumericError);
    const auto now = Clock::now();
    const RequestStats stats = owned->stats(now);
    {
        const std::lock_guard lock(mutex_);
        stats_.cancelled += event.finish == FinishReason::kCancelled;
        stats_.cached_tokens += stats.cached_tokens;
        stats_.generated_tokens += stats.generated_tokens;
        stats_.drafted_tokens += stats.drafted_tokens;
        stats_.kept_tokens += stats.kept_tokens;
        if (owned->has_started) {
            gate_.answered(stats.prefill_ms + stats.decode_ms);
        } else {
            gate_.leave(owned->prompt_tokens);
        }
    }
    publish_stats();
    owned->channel->finish(std::move(event), stats);
}

/// Nobody knows how far a step came that went wrong while it was planned: those that run end, or where none does the first that waits.
/// The engine goes on with the others.
void ModelEngine::Impl::end_running(const std::exception& error) noexcept {
    for (int64_t left = std::max<int64_t>(scheduler_.num_running(), 1); left > 0; --left) {
        if (Sequence* sequence = scheduler_.oldest()) end(*sequence, failure_event(error));
    }
}

void ModelEngine::Impl::publish_stats() {
    const std::lock_guard lock(mutex_);
    stats_.running = scheduler_.num_running();
    stats_.blocks_in_use = scheduler_.pool().num_in_use();
    stats_.preemptions = scheduler_.num_preemptions();
    stats_.waiting = scheduler_.num_waiting();
}

std::vector<StageTime> ModelEngine::Impl::profile() const {
    const std::lock_guard lock(mutex_);
    return published_;
}

EngineStats ModelEngine::Impl::stats() const {
    const std::lock_guard lock(mutex_);
    EngineStats out = stats_;
    out.waiting += std::ssize(inbox_);
    out.refused = gate_.refused();
    const bool idle = out.running == 0 && out.waiting == 0;
    out.since_step_s = idle ? 0 : std::chrono::duration<double>(Clock::now() - last_step_).count();
    return out;
}

ModelEngine::ModelEngine(std::shared_ptr<const Model> model, const EngineOptions& options, std::shared_ptr<const Model> draft)
    : ModelEngine(model, options, draft_with(*model, std::move(draft))) {}
ModelEngine::ModelEngine(std::shared_ptr<const Model> model, const EngineOptions& options, const MakeDrafter& drafter)
    : impl_(std::make_unique<Impl>(std::move(model), options, drafter)) {}
ModelEngine::~ModelEngine() = default;

Admission ModelEngine::submit(Request request) { return impl_->submit(std::move(request)); }
EngineStats ModelEngine::stats() const { return impl_->stats(); }
std::vector<StageTime> ModelEngine::profile() const { return impl_->profile(); }
const Model& ModelEngine::model() const { return impl_->runner_.model(); }
const EngineOptions& ModelEngine::options() const { return impl_->options_; }

int64_t ModelEngine::planned_bytes(const ModelConfig& config, const EngineOptions& options, const ModelConfig* draft) {
    const EngineOptions o = resolve_options(options, options.context > 0 ? options.context : config.context);
    return o.num_blocks * KvCache::bytes_per_block(config, o.cache_dtype) +
           Model::Workspace::activation_bytes(config, o.max_step_tokens, StepRunner::max_rows(o)) +
           (draft ? ModelDrafter::planned_bytes(*draft, o) : 0);
}

}  // namespace hearth
