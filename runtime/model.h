// A model as a straight list of stages.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "runtime/batch.h"
#include "runtime/kv_cache.h"
#include "runtime/model_config.h"
#include "runtime/profile.h"
#include "runtime/staging.h"
#include "runtime/weights.h"

namespace hearth {

/// Sees the residual stream [T, hidden] after the embedding (layer 0), after each layer (1 to layers), on the host.
/// For goldens and research; costs nothing when empty.
using HiddenObserver = std::function<void(int64_t layer, View<const float, 2> x)>;

/// The weights of one model on one device, and the order of its stages. Immutable after construction: any number of threads may
/// forward at once, each with a Workspace and a KvCache of its own.
class Model {
public:
    /// `max_context`: positions that can be used at all (the table of rotations has as many rows). Throws Error when a stage has no variant
    /// for these weights on this device (with HEARTH_FORCE: when the forced ones do not fit).
    Model(ModelConfig config, Weights weights, std::shared_ptr<const Backend> backend, int64_t max_context);

    const ModelConfig& config() const { return config_; }
    const Weights& weights() const { return weights_; }
    const Backend& backend() const { return *backend_; }
    int64_t max_context() const { return max_context_; }

    /// What one thread needs to run steps of up to max_tokens tokens, max_rows rows of logits: activations, scratch, the stream.
    /// The model outlives it. Throws Error{kNoResources}.
    class Workspace {
    public:
        Workspace(const Model& model, int64_t max_tokens, int64_t max_rows);
        ~Workspace();
        Stream& stream() { return *stream_; }
        int64_t max_tokens() const { return max_tokens_; }
        int64_t max_rows() const { return max_rows_; }
        int64_t bytes() const { return activation_bytes_ + static_cast<int64_t>(scratch_bytes_); }

        /// Makes the stream's scratch at least `bytes`: for what runs on the same stream between steps (sampling).
        void reserve_scratch(size_t bytes);

        /// From now on steps add what each stage took to `profile`, which outlives its use here; null: no more.
        void set_profile(Profile* profile) { profile_ = profile; }

        /// Of the activations alone: what can be said before there are weights. Scratch comes on top.
        static int64_t activation_bytes(const ModelConfig& config, int64_t max_tokens, int64_t max_rows);

    private:
        friend class Model;
        std::unique_ptr<Stream> stream_;
        DeviceBytes memory_;  // laid out by ActivationLayout
        DeviceBytes states_;  // of final_states(): made when it is first asked for
        Staging staging_;     // the arrays of the batch
        int64_t max_tokens_ = 0, max_rows_ = 0, activation_bytes_ = 0;
        size_t scratch_bytes_ = 0;
        Profile* profile_ = nullptr;
    };

    /// Runs one step and returns the logits [R, V] of batch.logit_rows, on the device, valid until the next step of `workspace`.
    /// The batch must fit the workspace, its positions max_context() and its blocks the cache. Throws Error{kUnsupported} when no variant
    /// supports a stage (a forced variant that fits some steps and not others).
    View<const float, 2> forward(const Batch& batch, const KvCache& cache, Workspace& workspace, const HiddenObserver& observer = {}) const;

    /// Of the last step of `workspace`: the hidden states behind the last norm of the tokens first to first + count - 1, to the host.
    /// `out` [count, hidden].
    void final_states(Workspace& workspace, int64_t first, int64_t count, std::span<float> out) const;

private:
    ModelConfig config_;
    Weights weights_;
    std::shared_ptr<const Backend> backend_;
    DeviceBytes rope_;  // [max_context, head_dim]
    int64_t max_context_ = 0;
};

}  // namespace hearth
