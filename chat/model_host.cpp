#include "chat/model_host.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include "base/start_thread.h"
#include "base/text.h"

namespace hearth {
namespace {

/// Thrown through the loader when nobody wants the model any more.
struct NoLongerWanted {};

constexpr auto kPoll = std::chrono::milliseconds(100);

}  // namespace

ModelHost::Lease::Lease(ModelHost& host, std::shared_ptr<LoadedModel> model, std::shared_ptr<std::atomic<bool>> revoked)
    : host_(host), model_(std::move(model)), revoked_(std::move(revoked)) {}

ModelHost::Lease::~Lease() {
    const std::lock_guard lock(host_.mutex_);
    model_.reset();  // before the count says so: whoever waits for the end of the leases wants the memory
    --host_.leases_;
    host_.changed_.notify_all();
}

ModelHost::ModelHost(Options options) : options_(std::move(options)), first_(find_model(options_.first.model)) {
    const auto all = list_models();
    const auto same = [this](const ModelEntry& entry) {
        std::error_code ignored;
        return entry.folder == first_.folder || std::filesystem::equivalent(entry.folder, first_.folder, ignored);
    };
    const bool has_name =
        std::any_of(all.begin(), all.end(), [&](const ModelEntry& entry) { return entry.name == first_.name && same(entry); });
    const auto named = std::find_if(all.begin(), all.end(), same);
    if (!has_name && named != all.end()) first_ = *named;  // a path to a folder that the directory has too
    choice_ = first_.name;
    thread_ = start_thread("loading models", [this] { run(); });
}

ModelHost::~ModelHost() {
    stop();
    thread_.join();
}

void ModelHost::stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
}

void ModelHost::log(const std::string& line) const {
    if (options_.log) options_.log(line);
}

std::vector<ModelEntry> ModelHost::entries() {
    std::vector<ModelEntry> out;
    try {
        out = list_models();
    } catch (const Error&) {
        // A directory that cannot be read hides its models, not the one that is already here.
    }
    const bool known = std::any_of(out.begin(), out.end(), [this](const ModelEntry& e) { return e.name == first_.name; });
    if (!known) out.insert(out.begin(), first_);
    return out;
}

ModelEntry ModelHost::entry_of(const std::string& name) {
    std::vector<std::string> names;
    for (ModelEntry& entry : entries()) {
        if (entry.name == name) return entry;
        names.push_back(entry.name);
    }
    throw Error(ErrorKind::kNotFound, cat("there is no model \"", printable(name), "\"; there are: ", join(names, ", ")));
}

std::vector<ModelStatus> ModelHost::list() {
    std::vector<ModelStatus> out;
    for (ModelEntry& entry : entries()) out.emplace_back().entry = std::move(entry);
    const std::lock_guard lock(mutex_);
    for (ModelStatus& status : out) {
        const std::string& name = status.entry.name;
        const auto failure = failures_.find(name);
        if (name == loading_ || choice_ == name) {
            status.state = ModelState::kLoading;
            if (name == loading_) status.progress = progress_;
        } else if (resident_ && resident_->entry().name == name) {
            status.state = ModelState::kReady;
            status.context = resident_->engine().options().context;
            status.parameters = resident_->info().parameters;
            status.quantization = resident_->info().quantization;
        } else if (failure != failures_.end()) {
            status.state = ModelState::kFailed;
            status.error = failure->second;
        }
    }
    return out;
}

EngineStats ModelHost::engine_stats() {
    const std::lock_guard lock(mutex_);
    return resident_ ? resident_->engine().stats() : EngineStats{};
}

std::shared_ptr<ModelHost::Lease> ModelHost::lease_now() {
    ++leases_;
    return std::make_shared<Lease>(*this, resident_, revoked_);
}

std::shared_ptr<ModelHost::Lease> ModelHost::acquire(const std::string& asked, const std::function<bool()>& gone) {
    if (!asked.empty()) entry_of(asked);
    std::unique_lock lock(mutex_);
    std::string name = asked;
    if (name.empty()) name = choice_ ? *choice_ : !loading_.empty() ? loading_ : resident_ ? resident_->entry().name : first_.name;
    if (stopping_) throw Error(ErrorKind::kNoResources, "the server is stopping");
    const bool resident = resident_ && resident_->entry().name == name && loading_.empty();
    if (resident && tickets_.empty() && (!choice_ || *choice_ == name)) return lease_now();
    const auto ticket = std::make_shared<Ticket>();
    ticket->name = name;
    const auto place = tickets_.insert(tickets_.end(), ticket);
    changed_.notify_all();
    while (!ticket->done()) {
        changed_.wait_for(lock, kPoll);
        if (ticket->done()) break;
        lock.unlock();
        const bool left = gone && gone();
        lock.lock();
        if (left && !ticket->done()) {
            tickets_.erase(place);
            changed_.notify_all();
            return nullptr;
        }
    }
    if (ticket->error) throw Error(*ticket->error);
    return std::move(ticket->lease);
}

void ModelHost::choose(const std::string& name) {
    entry_of(name);
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    failures_.erase(name);
    choice_ = name;
    changed_.notify_all();
}

std::optional<std::string> ModelHost::next_wanted() const { return tickets_.empty() ? choice_ : std::optional(tickets_.front()->name); }

bool ModelHost::is_wanted(const std::string& name) const {
    if (choice_ == name || (tickets_.empty() && !choice_))
        return true;  // a load that nobody waits for any more, nor for another, is finished
    return std::any_of(tickets_.begin(), tickets_.end(), [&](const auto& ticket) { return ticket->name == name; });
}

void ModelHost::settle(const std::string& name, const std::optional<Error>& error) {
    if (choice_ == name) choice_.reset();
    for (auto at = tickets_.begin(); at != tickets_.end();) {
        if ((*at)->name != name) {
            ++at;
            continue;
        }
        if (error) {
            (*at)->error = error;
        } else {
            (*at)->lease = lease_now();
        }
        at = tickets_.erase(at);
    }
    changed_.notify_all();
}

void ModelHost::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        const auto name = next_wanted();
        if (!name) {
            changed_.wait(lock);
        } else if (resident_ && resident_->entry().name == *name) {
            settle(*name, std::nullopt);
        } else {
            switch_to(lock, *name);
        }
    }
    for (const auto& ticket : tickets_) ticket->error = Error(ErrorKind::kNoResources, "the server is stopping");
    tickets_.clear();
    changed_.notify_all();
}

void ModelHost::on_progress(const std::string& name, const ProgressUpdate& update) {
    const std::lock_guard lock(mutex_);
    progress_ = update;
    if (stopping_ || !is_wanted(name)) throw NoLongerWanted();
}

void ModelHost::retire(std::unique_lock<std::mutex>& lock) {
    if (!resident_) return;
    const auto grace_ends = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.grace_ms);
    changed_.wait_until(lock, grace_ends, [this] { return leases_ == 0 || stopping_; });
    *revoked_ = true;
    changed_.wait(lock, [this] { return leases_ == 0; });
    std::shared_ptr<LoadedModel> old = std::move(resident_);
    resident_ = nullptr;
    lock.unlock();  // joining the engine takes its time
    old.reset();
    lock.lock();
}

void ModelHost::switch_to(std::unique_lock<std::mutex>& lock, const std::string& name) {
    loading_ = name;
    progress_ = {"checking the files", 0, 0};
    failures_.erase(name);
    lock.unlock();
    std::optional<Error> error;
    std::shared_ptr<LoadedModel> opened;
    const auto begin = std::chrono::steady_clock::now();
    try {
        OpenOptions options = options_.first;
        const ModelEntry entry = entry_of(name);
        CheckpointInfo info = inspect_checkpoint(entry.folder);  // what is broken should not cost us the model that works
        if (name != first_.name) {
            options.load.context = std::min(options.load.context, info.config.longest_context());
            options.chat_template.clear();
        }
        lock.lock();
        progress_ = {"waiting for answers of the model before", 0, 0};
        retire(lock);
        lock.unlock();
        options.progress = [&](const ProgressUpdate& update) {
            on_progress(name, update);
            if (options_.first.progress) options_.first.progress(update);
        };
        opened = LoadedModel::open(options, entry, std::move(info));
    } catch (const NoLongerWanted&) {
        log(cat("loading of ", name, " given up: another model was chosen"));
    } catch (const Error& e) {
        error = e;
    } catch (const std::bad_alloc&) {
        error = Error(ErrorKind::kNoResources, cat("out of memory while loading ", name));
    } catch (const std::exception& e) {
        error = Error(ErrorKind::kIo, cat("loading ", name, " failed: ", e.what()));
    }
    if (error) log(cat("cannot load ", name, ": ", error->what()));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (opened) log(cat(name, " is ready after ", static_cast<int64_t>(took.count() * 1000), " ms"));
    if (!lock.owns_lock()) lock.lock();
    loading_.clear();
    progress_ = {};
    if (opened) {
        resident_ = std::move(opened);
        revoked_ = std::make_shared<std::atomic<bool>>(false);
        settle(name, std::nullopt);
    } else if (error) {
        failures_[name] = error->what();
        settle(name, error);
    }
    changed_.notify_all();
}

}  // namespace hearth
