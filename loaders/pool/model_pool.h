// The models in memory: several at once by name, within a budget of bytes, each loaded when it is first asked for.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "loaders/pool/catalogue.h"
#include "loaders/pool/residency.h"
#include "loaders/pool/resident_model.h"

namespace hearth {

enum class ModelState { kIdle, kLoading, kReady, kFailed };

/// One name, as a picker shows it.
struct ModelStatus {
    std::string name;
    ModelEntry entry;
    bool hidden = false;  // to be left out of lists
    bool chosen = false;  // requests that name no model get this one
    ModelState state = ModelState::kIdle;
    ProgressUpdate progress = {};  // while kLoading
    std::string error = {};        // with kFailed: why the last attempt ended
    int64_t context = 0;           // once kReady, and the next two
    int64_t parameters = 0;
    std::string quantization = {};  // "" for plain weights
};

/// What somebody who waits is asked and told, now and then, from the thread that waits. Each may be empty.
struct WaitingForModel {
    std::function<bool()> gone = {};  // true: wait no more
    Progress progress = {};           // of the load that is waited for
};

/// Since the beginning.
struct LoadCounts {
    int64_t loaded = 0, failed = 0;
};

/// Loads, lends and frees models. Thread-safe. All share one backend, and one thread loads, one model at a time.
///
/// A request takes a *lease* on the model that it names: while it has it, the model stays in memory, and no other serves it. Where the
/// model is not in memory it waits in a queue, first come first served (Residency has the rules). What has to go for it goes before it is
/// loaded, so that two models that fit one at a time can take turns. Everybody who waits is told: with a lease, with the reason why there
/// is none, or with the end of the server.
class ModelPool {
public:
    /// Tells what opening takes, and opens. Tests put scripts in the place of models.
    using Planner = std::function<PlannedModel(const ModelSpec&, const OpenPlace&)>;

    struct Options {
        Catalogue::Options catalogue;
        std::shared_ptr<const Backend> backend;
        int64_t memory_bytes = 0;  // that all models together may take; 0: usable_bytes of the device
        bool profile = false;
        std::chrono::milliseconds drain_wait{120'000};     // for answers to end whose model's room is wanted
        Planner plan = {};                                 // empty: the models of the catalogue
        std::function<void(const ModelSpec&)> check = {};  // of what else belongs to a model, before it is loaded; throws Error
        Progress progress = {};                            // of every load, from the loading thread
        std::function<void(const std::string&)> log = {};  // lines for people; from any thread
    };

    /// The right to use a model; ends with the last copy of `model`. Must end before the pool does.
    struct Lease {
        std::string name;  // that was asked for
        Preset preset;
        std::filesystem::path folder;  // of the model
        std::shared_ptr<ResidentModel> model;
        int64_t load = 0;  // counts loads: another number is another model, whatever its name
    };

    using Waiting = WaitingForModel;

    /// Begins to load the model to begin with, then those that are to be loaded at the start. Throws Error{kNotFound} when the first is not
    /// there.
    explicit ModelPool(Options options);
    ~ModelPool();  // tells everybody who waits; all leases must have ended

    /// Every name there is, with what is known of its model. Waits for nothing but a look at the directory.
    std::vector<ModelStatus> list();

    /// A lease on the model of that name ("": the chosen one), as soon as it is in memory. Nothing when `waiting.gone` said so meanwhile.
    /// Throws Error{kNotFound} listing what there is, Error{kNoResources} when memory did not become free in time, and whatever ended the
    /// loading.
    std::optional<Lease> acquire(const std::string& name, const Waiting& waiting = {});

    /// Makes that model the one of requests that name none, and loads it, without waiting. A later choice replaces one that is still on its
    /// way; one that cannot be loaded leaves the choice before it. Throws Error{kNotFound}.
    void choose(const std::string& name);

    /// Sums over all models that are or were in memory.
    EngineStats engine_stats();

    /// The models in memory now, kept there while the pointers live. To look at them: it counts as no use.
    std::vector<std::shared_ptr<ResidentModel>> hold_resident();

    LoadCounts load_counts();

    int64_t budget_bytes() const { return budget_; }
    int64_t used_bytes();  // as planned, of what is in memory or on its way there

    /// No more loading; who waits is told that the server stops.
    void stop();

private:
    struct Loaded {
        std::shared_ptr<ResidentModel> model;
        int64_t load = 0;
    };
    struct Choice {
        std::string name;
        std::shared_ptr<Residency::Ticket> ticket;
    };
    using Lock = std::unique_lock<std::mutex>;

    std::shared_ptr<Residency::Ticket> ask(const ModelSpec& spec, bool takes_lease);
    bool await(Lock& lock, const Residency::Ticket& ticket, const Waiting& waiting);
    Lease lease(const ModelSpec& spec);
    std::string chosen();
    void settle_choice();
    void describe(const ModelSpec& spec, ModelStatus& out);
    /// Adds what counts since a start; what an engine holds now ends with it.
    static void add_counts(EngineStats& sum, const EngineStats& of);

    // model_loader.cpp, on the loading thread:
    void run();
    void plan(Lock& lock, const std::string& key);
    void load(Lock& lock, const std::string& key);
    void unload(Lock& lock, const std::string& key);
    void note_failure(const std::string& key, const Error& error);
    void fail(const std::string& key, const Error& error);
    void on_progress(const std::string& key, const ProgressUpdate& update);
    void log(const std::string& line) const;

    const Options options_;
    const Catalogue catalogue_;
    const int64_t budget_;

    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    Residency residency_;
    std::map<std::string, Loaded> loaded_;    // by key, like the next two
    std::map<std::string, ModelSpec> specs_;  // of what was asked for last by each key
    std::map<std::string, std::string> failures_;
    std::optional<PlannedModel> planned_;  // of the next load
    std::string working_on_;               // the key that is planned or loaded; "": none
    ProgressUpdate progress_;              // of that, or of the wait for room
    std::string chosen_;
    std::optional<Choice> choice_;  // until it is settled
    EngineStats ended_;             // of models that were unloaded
    int64_t loads_ = 0, failed_loads_ = 0;

    std::thread thread_;  // last: starts when all else stands
};

}  // namespace hearth
