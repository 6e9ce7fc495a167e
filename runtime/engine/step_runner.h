// Runs a plan: the flat arrays, the model, the draws.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "runtime/batch.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/sampler.h"
#include "runtime/kv_cache.h"
#include "runtime/model.h"
#include "runtime/schedule/scheduler.h"

namespace hearth {

/// What one engine computes with: cache, workspace, sampler. Knows sequences as far as they are part of the plan that runs, and changes
/// none of them. Belongs to one thread.
class StepRunner {
public:
    /// `max_rows`: of logits in a step. Throws Error{kNoResources} when the cache does not fit in memory.
    StepRunner(std::shared_ptr<const Model> model, const EngineOptions& options, int64_t max_rows);

    /// No sequence has masks: before those of a plan are made. Those of a plan that did not run, or of a constraint that failed, are gone.
    void begin_masks();

    /// The masks of all rows that work.sequence draws. Throws what its constraint throws, and Error{kBadInput} where it does not accept a
    /// draft that it accepted before; the constraint is then of no more use.
    void mask(const Work& work);

    /// Runs the model on `plan`, whose constrained sequences were all masked since begin_masks(). The outcomes are valid until the next
    /// run.
    std::span<const Outcome> run(const Plan& plan);

    const Model& model() const { return *model_; }
    const Profile& profile() const { return profile_; }
    double run_ms() const { return run_ms_; }  // what the last run took

    /// Of logits that steps of such an engine may want.
    static int64_t max_rows(const EngineOptions& options);

private:
    void gather(const Plan& plan);
    void gather_rows(const Work& work);
    void fetch_states(const Plan& plan);
    size_t words_of_mask() const { return static_cast<size_t>(ceil_div(model_->config().vocab, int64_t{32})); }

    std::shared_ptr<const Model> model_;
    const EngineOptions options_;
    KvCache cache_;
    Model::Workspace workspace_;
    Sampler sampler_;
    Batch batch_;
    std::vector<Sampler::Row> rows_;
    std::vector<Outcome> outcomes_;
    std::vector<std::pair<const Sequence*, size_t>> mask_at_;  // where the masks of a sequence begin
    std::vector<uint32_t> masks_;
    std::vector<float> states_;  // of the sequences that want an embedding, one behind the other
    Profile profile_;
    double run_ms_ = 0;
};

}  // namespace hearth
