// The loading thread's side of ModelPool.
#include <exception>
#include <new>

#include "base/text.h"
#include "loaders/pool/kept_quantized.h"
#include "loaders/pool/model_pool.h"

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = Residency::Action::Kind;

/// Thrown through the loader when nobody wants the model any more.
struct NoLongerWanted {};

/// What `work` throws as an Error that says of which model it is; nothing when it ends well or is given up.
template <class Work>
std::optional<Error> error_of(const std::string& name, Work&& work) {
    try {
        work();
    } catch (const NoLongerWanted&) {
    } catch (const Error& e) {
        return e;
    } catch (const std::bad_alloc&) {
        return Error(ErrorKind::kNoResources, cat("out of memory while loading ", name));
    } catch (const std::exception& e) {
        return Error(ErrorKind::kIo, cat("loading ", name, " failed: ", e.what()));
    }
    return std::nullopt;
}

PlannedModel plan_from_files(const ModelSpec& spec, const OpenPlace& place) {
    OpenPlace here = place;
    if (spec.preset.keep_quantized) here.keep_quantized_in = kept_quantized_root();
    return plan_model(spec.entry, spec.load, here);
}

}  // namespace

void ModelPool::run() {
    Lock lock(mutex_);
    while (!stopping_) {
        const Residency::Action action = residency_.next(Clock::now());
        changed_.notify_all();  // some may have been served
        switch (action.kind) {
            case Kind::kPlan: plan(lock, action.key); break;
            case Kind::kUnload: unload(lock, action.key); break;
            case Kind::kLoad: load(lock, action.key); break;
            case Kind::kRefused: note_failure(action.key, *action.error); break;
            case Kind::kWait:
                working_on_ = residency_.next_key();
                progress_ = {.what = working_on_.empty() ? "" : "waiting for answers of another model to end"};
                if (action.until) {
                    changed_.wait_until(lock, *action.until);
                } else {
                    changed_.wait(lock);
                }
                break;
        }
    }
    changed_.notify_all();
}

void ModelPool::note_failure(const std::string& key, const Error& error) {
    if (stopping_) return;
    failures_[key] = error.what();
    ++failed_loads_;
    log(cat("cannot load ", specs_.at(key).name, ": ", error.what()));
}

void ModelPool::fail(const std::string& key, const Error& error) {
    note_failure(key, error);
    residency_.failed(key, error, Clock::now());
}

void ModelPool::plan(Lock& lock, const std::string& key) {
    working_on_ = key;
    progress_ = {.what = "checking the files"};
    failures_.erase(key);
    const ModelSpec spec = specs_.at(key);
    planned_.reset();
    lock.unlock();
    std::optional<PlannedModel> planned;
    const auto error = error_of(spec.name, [&] {
        if (options_.check) options_.check(spec);
        const OpenPlace place{.backend = options_.backend, .memory_bytes = budget_, .profile = options_.profile, .notice = options_.log};
        planned = options_.plan ? options_.plan(spec, place) : plan_from_files(spec, place);
    });
    lock.lock();
    if (error) return fail(key, *error);
    if (planned->bytes > budget_) {
        return fail(key, Error(ErrorKind::kNoResources, cat("it takes ", human_bytes(planned->bytes), " of memory; models may take ",
                                                            human_bytes(budget_), ", see --memory")));
    }
    residency_.planned(key, planned->bytes);
    planned_ = std::move(planned);
}

void ModelPool::load(Lock& lock, const std::string& key) {
    working_on_ = key;
    progress_ = {.what = "loading"};
    const std::string name = specs_.at(key).name;
    PlannedModel planned = std::move(*planned_);
    planned_.reset();
    lock.unlock();
    std::shared_ptr<ResidentModel> model;
    const auto begin = Clock::now();
    const auto error = error_of(name, [&] {
        model = planned.open([&](const ProgressUpdate& update) {
            on_progress(key, update);
            if (options_.progress) options_.progress(update);
        });
    });
    planned = {};  // the files that it holds open
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
    if (model) log(cat(name, " is ready after ", took, " ms"));
    if (!model && !error) log(cat("loading of ", name, " given up: another model was chosen"));
    lock.lock();
    working_on_.clear();
    progress_ = {};
    if (error) return fail(key, *error);
    if (!model) return residency_.given_up(key, Clock::now());
    loaded_[key] = {.model = std::move(model), .load = ++loads_};
    residency_.loaded(key, Clock::now());
}

void ModelPool::unload(Lock& lock, const std::string& key) {
    std::shared_ptr<ResidentModel> model = std::move(loaded_.at(key).model);
    loaded_.erase(key);
    const std::string name = specs_.at(key).name;
    add_counts(ended_, model->engine->stats());
    lock.unlock();  // joining the engine takes its time
    model.reset();
    log(cat(name, " left memory"));
    lock.lock();
    residency_.unloaded(key);
}

void ModelPool::on_progress(const std::string& key, const ProgressUpdate& update) {
    const std::lock_guard lock(mutex_);
    progress_ = update;
    if (stopping_ || !residency_.is_wanted(key)) throw NoLongerWanted();
}

}  // namespace hearth
