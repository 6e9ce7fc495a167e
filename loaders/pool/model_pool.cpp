#include "loaders/pool/model_pool.h"

#include <algorithm>

#include "base/start_thread.h"
#include "base/text.h"

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPoll = std::chrono::milliseconds(100);  // between two looks at whether somebody still waits

Error stopped() { return {ErrorKind::kNoResources, "the server is stopping"}; }

std::optional<Residency::Milliseconds> keep_alive(const ModelSpec& spec) {
    if (!spec.preset.keep_alive) return std::nullopt;
    return std::chrono::duration_cast<Residency::Milliseconds>(*spec.preset.keep_alive);
}

int64_t budget_of(const ModelPool::Options& options) {
    return options.memory_bytes > 0 ? options.memory_bytes : usable_bytes(*options.backend);
}

}  // namespace

ModelPool::ModelPool(Options options)
    : options_(std::move(options)),
      catalogue_(options_.catalogue),
      budget_(budget_of(options_)),
      residency_({.budget_bytes = budget_, .drain_wait = options_.drain_wait}),
      chosen_(catalogue_.first()) {
    for (const Preset& preset : options_.catalogue.presets.list) {
        if (!preset.error.empty()) log(cat("preset \"", preset.alias, "\" is left aside: ", preset.error));
    }
    const auto specs = catalogue_.all();
    for (const bool first : {true, false}) {
        for (const ModelSpec& spec : specs) {
            if (spec.error.empty() && (first ? spec.name == chosen_ : spec.preset.load_at_start && spec.name != chosen_)) ask(spec, false);
        }
    }
    thread_ = start_thread("loading models", [this] { run(); });
}

ModelPool::~ModelPool() {
    stop();
    thread_.join();
}

void ModelPool::stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    residency_.stop(stopped());
    changed_.notify_all();
}

void ModelPool::log(const std::string& line) const {
    if (options_.log) options_.log(line);
}

std::shared_ptr<Residency::Ticket> ModelPool::ask(const ModelSpec& spec, bool takes_lease) {
    specs_.insert_or_assign(spec.key, spec);
    auto ticket = residency_.ask(spec.key, takes_lease, keep_alive(spec), Clock::now());
    changed_.notify_all();
    return ticket;
}

ModelPool::Lease ModelPool::lease(const ModelSpec& spec) {
    const Loaded& loaded = loaded_.at(spec.key);
    // The pointer that is given away: its end is the lease's end. The pool's own keeps the model until the loader lets it go.
    std::shared_ptr<ResidentModel> model(loaded.model.get(), [this, key = spec.key](ResidentModel*) {
        const std::lock_guard lock(mutex_);
        residency_.release(key, Clock::now());
        changed_.notify_all();
    });
    return {.name = spec.name, .preset = spec.preset, .folder = spec.entry.folder, .model = std::move(model), .load = loaded.load};
}

std::optional<ModelPool::Lease> ModelPool::acquire(const std::string& asked, const Waiting& waiting) {
    std::string name = asked;
    if (name.empty()) {
        const std::lock_guard lock(mutex_);
        name = chosen();
    }
    const ModelSpec spec = catalogue_.find(name);
    if (!spec.error.empty()) throw Error(ErrorKind::kBadInput, spec.error);
    Lock lock(mutex_);
    const auto ticket = ask(spec, true);
    try {
        if (!await(lock, *ticket, waiting)) {
            residency_.leave(ticket, Clock::now());
            changed_.notify_all();
            return std::nullopt;
        }
        if (!ticket->error) return lease(spec);
    } catch (...) {
        if (!lock.owns_lock()) lock.lock();
        residency_.leave(ticket, Clock::now());
        changed_.notify_all();
        throw;
    }
    throw Error(*ticket->error);
}

bool ModelPool::await(Lock& lock, const Residency::Ticket& ticket, const Waiting& waiting) {
    while (!ticket.done()) {
        changed_.wait_for(lock, kPoll);
        if (ticket.done()) break;
        const ProgressUpdate progress =
            working_on_ == ticket.key ? progress_ : ProgressUpdate{.what = "waiting for another model to be loaded"};
        lock.unlock();
        const bool left = waiting.gone && waiting.gone();
        if (!left && waiting.progress) waiting.progress(progress);
        lock.lock();
        if (left) return false;
    }
    return true;
}

void ModelPool::settle_choice() {
    if (!choice_ || !choice_->ticket->done()) return;
    if (choice_->ticket->granted) chosen_ = choice_->name;
    choice_.reset();
}

std::string ModelPool::chosen() {
    settle_choice();
    return choice_ ? choice_->name : chosen_;
}

void ModelPool::choose(const std::string& name) {
    const ModelSpec spec = catalogue_.find(name);
    if (!spec.error.empty()) return;  // list() says it
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    settle_choice();
    if (choice_) residency_.leave(choice_->ticket, Clock::now());
    failures_.erase(spec.key);
    choice_ = Choice{.name = name, .ticket = ask(spec, false)};
}

void ModelPool::describe(const ModelSpec& spec, ModelStatus& out) {
    const auto loaded = loaded_.find(spec.key);
    const auto failure = failures_.find(spec.key);
    if (!spec.error.empty()) {
        out.state = ModelState::kFailed;
        out.error = spec.error;
    } else if (loaded != loaded_.end()) {
        const ResidentModel& model = *loaded->second.model;
        out.state = ModelState::kReady;
        out.context = model.engine->options().context;
        out.parameters = model.info.parameters;
        out.quantization = model.info.quantization;
    } else if (working_on_ == spec.key || residency_.waits(spec.key)) {
        out.state = ModelState::kLoading;
        if (working_on_ == spec.key) out.progress = progress_;
    } else if (failure != failures_.end()) {
        out.state = ModelState::kFailed;
        out.error = failure->second;
    }
}

std::vector<ModelStatus> ModelPool::list() {
    const auto specs = catalogue_.all();
    const std::lock_guard lock(mutex_);
    const std::string chosen_name = chosen();
    std::vector<ModelStatus> out;
    for (const ModelSpec& spec : specs) {
        ModelStatus status{.name = spec.name, .entry = spec.entry, .hidden = spec.preset.hidden, .chosen = spec.name == chosen_name};
        describe(spec, status);
        out.push_back(std::move(status));
    }
    return out;
}

EngineStats ModelPool::engine_stats() {
    const std::lock_guard lock(mutex_);
    EngineStats out = ended_;
    for (const auto& [key, loaded] : loaded_) {
        const EngineStats stats = loaded.model->engine->stats();
        add_counts(out, stats);
        out.running += stats.running;
        out.waiting += stats.waiting;
        out.blocks_in_use += stats.blocks_in_use;
        out.num_blocks += stats.num_blocks;
        out.since_step_s = std::max(out.since_step_s, stats.since_step_s);
    }
    return out;
}

std::vector<std::shared_ptr<ResidentModel>> ModelPool::hold_resident() {
    std::vector<std::shared_ptr<ResidentModel>> out;  // lets go without the lock, should it come to that
    const std::lock_guard lock(mutex_);
    for (const auto& [key, loaded] : loaded_) {
        if (!residency_.hold(key)) continue;
        out.emplace_back(loaded.model.get(), [this, key = key](ResidentModel*) {
            const std::lock_guard ending(mutex_);
            residency_.end_hold(key);
            changed_.notify_all();
        });
    }
    return out;
}

LoadCounts ModelPool::load_counts() {
    const std::lock_guard lock(mutex_);
    return {.loaded = loads_, .failed = failed_loads_};
}

int64_t ModelPool::used_bytes() {
    const std::lock_guard lock(mutex_);
    return residency_.used_bytes();
}

void ModelPool::add_counts(EngineStats& sum, const EngineStats& of) {
    sum.steps += of.steps;
    sum.tokens += of.tokens;
    sum.preemptions += of.preemptions;
    sum.cancelled += of.cancelled;
    sum.refused += of.refused;
    sum.prompt_tokens += of.prompt_tokens;
    sum.cached_tokens += of.cached_tokens;
    sum.generated_tokens += of.generated_tokens;
    sum.drafted_tokens += of.drafted_tokens;
    sum.kept_tokens += of.kept_tokens;
    sum.first_token.add(of.first_token);
    sum.between_tokens.add(of.between_tokens);
}

}  // namespace hearth
