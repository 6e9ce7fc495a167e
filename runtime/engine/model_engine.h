// The engine that runs a model: one thread that owns all mutable state; everybody else holds a TokenStream.
#pragma once

#include <memory>
#include <vector>

#include "runtime/engine/engine.h"
#include "runtime/model.h"
#include "runtime/speculate/drafter.h"

namespace hearth {

/// Drafts by a smaller model. Throws Error{kBadInput} where its vocabulary is not that of `model`. Null: no drafter.
MakeDrafter draft_with(const Model& model, std::shared_ptr<const Model> draft);

/// Continuous batching with reuse of prefixes. The rules are Scheduler's; what is drawn does not depend on them: an answer is the same bit
/// for bit alone, in company, behind a prefix that was found or computed, after a preemption, with and without drafts.
class ModelEngine final : public Engine {
public:
    /// Starts the thread. Throws Error{kNoResources} when the cache does not fit in memory.
    /// `draft`: a smaller model that guesses what comes next, or null. Throws Error{kBadInput} where its vocabulary is another one.
    ModelEngine(std::shared_ptr<const Model> model, const EngineOptions& options, std::shared_ptr<const Model> draft = nullptr);

    /// The same with whatever makes drafts.
    ModelEngine(std::shared_ptr<const Model> model, const EngineOptions& options, const MakeDrafter& drafter);
    ~ModelEngine() override;  // joins the thread

    Admission submit(Request request) override;
    EngineStats stats() const override;
    std::vector<StageTime> profile() const override;
    const EngineOptions& options() const override;
    const Model& model() const;

    /// KV cache and activations that an engine with these options takes, without making one. `draft`: of the draft model, or null.
    static int64_t planned_bytes(const ModelConfig& config, const EngineOptions& options, const ModelConfig* draft = nullptr);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace hearth
