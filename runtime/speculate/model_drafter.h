// Drafts from a second, smaller model with the same vocabulary.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "runtime/batch.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/sampler.h"
#include "runtime/kv_cache.h"
#include "runtime/model.h"
#include "runtime/schedule/block_pool.h"
#include "runtime/schedule/sequence.h"
#include "runtime/speculate/drafter.h"

namespace hearth {

/// Draws from its own model with the parameters, seed and positions of the sequence it drafts for: where both models are of one mind, the
/// same random number gives the same token. Keeps a cache of its own, as large as the engine's. Belongs to the engine's thread.
class ModelDrafter final : public Drafter {
public:
    /// `options`: the engine's. Throws Error{kNoResources} when the cache does not fit, Error{kBadInput} where the model's context is
    /// shorter.
    ModelDrafter(std::shared_ptr<const Model> model, const EngineOptions& options);

    /// None where its cache has no room, and while it is still behind with a prompt: then one chunk of that is computed.
    void draft(std::span<const Ask> asks) override;
    void forget(const Sequence& sequence) noexcept override;
    double token_ms() const override { return token_ms_; }

    /// Cache and activations of such a drafter.
    static int64_t planned_bytes(const ModelConfig& config, const EngineOptions& options);

private:
    /// Of one sequence: what lies in this drafter's cache.
    struct State {
        std::vector<int32_t> tokens;
        std::vector<BlockId> blocks;
    };
    struct Turn {
        const Ask* ask = nullptr;
        State* state = nullptr;
        int64_t count = 0;  // tokens to compute now
    };
    bool catch_up(State& state, const Sequence& sequence, int64_t most);
    void round(bool draw);

    std::shared_ptr<const Model> model_;
    const int64_t chunk_;
    BlockPool pool_;
    KvCache cache_;
    Model::Workspace workspace_;
    Sampler sampler_;
    Batch batch_;
    std::vector<Sampler::Row> rows_;
    std::vector<Turn> turns_;
    std::map<const Sequence*, State> states_;
    double token_ms_ = 0;
};

}  // namespace hearth
