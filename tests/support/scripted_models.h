// Models that a pool loads although there are none: a script answers for each, and the test decides when and whether it loads.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "loaders/pool/model_pool.h"
#include "tests/support/scripted_engine.h"
#include "tests/support/temp_folder.h"

namespace hearth::testing {

/// Ember's, opened once.
std::shared_ptr<const Tokenizer> ember_tokenizer();

/// A model directory that HEARTH_MODELS names while it lives, and a planner for what is in it. Every name of the directory has Ember's
/// tokenizer and takes the bytes that the test says. Thread-safe once the pool runs; outlives it.
class ScriptedModels {
public:
    struct Model {
        int64_t bytes = 100;
        Script script = {};                            // empty: says "I am NAME"
        std::shared_ptr<const ScriptGate> loads = {};  // loading goes on until it is open
        int failures = 0;                              // so many loads fail
        int64_t context = 1024;
    };

    ScriptedModels();
    ~ScriptedModels();

    /// Before the pool asks for it.
    void add(const std::string& name, Model model);
    void add(const std::string& name, int64_t bytes) { add(name, Model{.bytes = bytes}); }

    ModelPool::Planner planner();

    /// For a pool of these models within `budget` bytes, that begins with `first`.
    ModelPool::Options options(const std::string& first, int64_t budget);

    const std::filesystem::path& path() const { return folder_.path(); }
    int64_t bytes() const;       // of all models that exist now
    int64_t most_bytes() const;  // that ever existed at once
    int loads(const std::string& name) const;
    int loading() const;  // loads under way

private:
    std::shared_ptr<ResidentModel> open(const ModelSpec& spec, const Model& model, const Progress& progress);

    const TempFolder folder_;
    mutable std::mutex mutex_;
    std::map<std::string, Model> models_;
    std::map<std::string, int> loads_;
    int64_t bytes_ = 0, most_bytes_ = 0;
    int loading_ = 0;
};

/// What a leased model answers to any prompt.
std::string answer_of(const ModelPool::Lease& lease);

}  // namespace hearth::testing
