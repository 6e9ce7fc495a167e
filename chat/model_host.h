// Which model is in memory, and everybody who waits for another one.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "chat/loaded_model.h"

namespace hearth {

enum class ModelState { kIdle, kLoading, kReady, kFailed };

/// One model of the directory, as a picker shows it.
struct ModelStatus {
    ModelEntry entry;
    ModelState state = ModelState::kIdle;
    ProgressUpdate progress;  // while kLoading
    std::string error;        // with kFailed: why the last attempt ended
    int64_t context = 0;      // once kReady, and the next two
    int64_t parameters = 0;
    std::string quantization;  // "" for plain weights
};

/// Holds one model at a time and switches among those of the model directory. Thread-safe.
///
/// Requests take a lease, which names exactly one model and keeps it in memory. A request for another model waits in a queue, first
/// come first served; the model changes once the leases on the old one have ended, or have been revoked after a time of grace.
/// Everybody who waits is told: with a lease, with the reason why there is none, or with the end of the server.
class ModelHost {
public:
    struct Options {
        OpenOptions first;      // what to begin with; backend and context serve every model, the template only this one
        int grace_ms = 10'000;  // what answers of the old model may still take
        std::function<void(const std::string&)> log;
    };

    /// The right to use a model. Ends with the last pointer.
    class Lease {
    public:
        Lease(ModelHost& host, std::shared_ptr<LoadedModel> model, std::shared_ptr<std::atomic<bool>> revoked);
        ~Lease();
        LoadedModel& model() const { return *model_; }
        bool revoked() const { return *revoked_; }  // end soon: another model is to take the place

    private:
        ModelHost& host_;
        std::shared_ptr<LoadedModel> model_;
        std::shared_ptr<std::atomic<bool>> revoked_;
    };

    /// Begins to load. Throws Error{kNotFound} when the first model is not there.
    explicit ModelHost(Options options);
    ~ModelHost();  // tells everybody who waits; all leases must have ended

    /// Every model there is, with what is known of it. Waits for nothing but a look at the directory.
    std::vector<ModelStatus> list();

    /// A lease on the model of that name ("": the one in memory, or on its way there), as soon as it is in memory. Nothing when `gone`
    /// said so meanwhile. Throws Error{kNotFound} listing what there is, and whatever ended the loading.
    std::shared_ptr<Lease> acquire(const std::string& name, const std::function<bool()>& gone);

    /// Makes that model the one in memory, without waiting. A later choice replaces one that is still on its way. Throws Error{kNotFound}.
    void choose(const std::string& name);

    /// Of the model in memory; zeros when there is none.
    EngineStats engine_stats();

    /// No more loading; who waits is told that the server stops.
    void stop();

private:
    struct Ticket {
        std::string name;
        std::shared_ptr<Lease> lease;
        std::optional<Error> error;
        bool done() const { return lease || error; }
    };

    std::vector<ModelEntry> entries();
    ModelEntry entry_of(const std::string& name);
    void run();
    std::optional<std::string> next_wanted() const;
    bool is_wanted(const std::string& name) const;
    void switch_to(std::unique_lock<std::mutex>& lock, const std::string& name);
    void retire(std::unique_lock<std::mutex>& lock);
    void settle(const std::string& name, const std::optional<Error>& error);
    void on_progress(const std::string& name, const ProgressUpdate& update);
    std::shared_ptr<Lease> lease_now();
    void log(const std::string& line) const;

    const Options options_;
    ModelEntry first_;

    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::shared_ptr<LoadedModel> resident_;
    std::shared_ptr<std::atomic<bool>> revoked_;  // of the leases on resident_
    int leases_ = 0;
    std::list<std::shared_ptr<Ticket>> tickets_;  // requests that wait, oldest first
    std::optional<std::string> choice_;           // what the page asked for last, until it is settled
    std::string loading_;                         // "" when nothing loads
    ProgressUpdate progress_;
    std::map<std::string, std::string> failures_;

    std::thread thread_;
};

}  // namespace hearth
