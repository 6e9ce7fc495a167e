#include "runtime/model.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "runtime/planned_step.h"
#include "runtime/rope.h"
#include "runtime/stages.h"

namespace hearth {
namespace {

// Runs each stage by the first variant that supports it.
struct Runner {
    const ModelConfig& config;
    const Backend& backend;
    Stream& stream;
    const HiddenObserver& observer;
    View<float, 2> x;
    Profile* profile;

    template <class Args>
    void stage(std::span<const Variant<Args>> Tables::*table, const Args& args) {
        const Variant<Args>& variant = select(stream.tables().*table, args, stream.device());
        if (!profile) return variant.run(args, stream);
        stream.wait();
        const auto start = std::chrono::steady_clock::now();
        variant.run(args, stream);
        stream.wait();
        profile->add(variant.name, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), args.bytes(),
                     args.flops());
    }
    void layer(int64_t i) const {
        if (!observer) return;
        stream.wait();
        std::vector<float> host(static_cast<size_t>(x.size()));
        backend.copy_to_host(host.data(), x.data, x.size() * int64_t{sizeof(float)});
        observer(i, {host.data(), x.extent});
    }
};

// Throws for a stage that no variant supports.
struct VariantCheck {
    const Device& device;

    template <class Args>
    void stage(std::span<const Variant<Args>> Tables::*table, const Args& args) {
        select(device.tables->*table, args, device);
    }
    void layer(int64_t) const {}
};

// The most scratch that any stage takes; they run one after the other.
struct ScratchCount {
    const Device& device;
    size_t most = 0;

    template <class Args>
    void stage(std::span<const Variant<Args>> Tables::*table, const Args& args) {
        most = std::max(most, workspace_of(device.tables->*table, args, device));
    }
    void layer(int64_t) const {}
};

void check_weights(const ModelConfig& c, const Weights& w) {
    HEARTH_CHECK(c.layers > 0 && static_cast<int64_t>(w.layers.size()) == c.layers);
    HEARTH_CHECK(c.windows.empty() || static_cast<int64_t>(c.windows.size()) == c.layers);
    HEARTH_CHECK(w.embed.weight && w.embed.weight.n == c.vocab && w.embed.weight.k == c.hidden);
    HEARTH_CHECK(w.head.weight && w.head.weight.n == c.vocab && w.head.weight.k == c.hidden);
    HEARTH_CHECK(w.final_norm.size == c.hidden);
    for (const LayerWeights& l : w.layers) {
        HEARTH_CHECK(l.qkv.weight.n == c.qkv_rows() && l.qkv.weight.k == c.hidden);
        HEARTH_CHECK(l.out.weight.n == c.hidden && l.out.weight.k == c.heads * c.head_dim);
        HEARTH_CHECK(static_cast<int64_t>(l.expert_gate.size()) == c.experts && (c.experts > 0 || l.down.weight.k == c.intermediate));
    }
}

}  // namespace

Model::Model(ModelConfig config, Weights weights, std::shared_ptr<const Backend> backend, int64_t max_context)
    : config_(std::move(config)), weights_(std::move(weights)), backend_(std::move(backend)), max_context_(max_context) {
    HEARTH_CHECK(max_context_ > 0);
    check_weights(config_, weights_);
    for (const int64_t tokens : {1, 64}) {  // a decode and a prefill: a variant may be made for one of them
        const auto check = [&](DType cache) {
            PlannedStep(config_, tokens, 1, max_context_, cache).visit(config_, weights_, VariantCheck{backend_->device()});
        };
        try {
            check(DType::kBf16);
        } catch (const Error&) {
            check(DType::kF32);  // the engine's cache may be of either kind; one of them must do
        }
    }
    const std::vector<float> table = rope_table(config_.rope, config_.head_dim, max_context_);
    const auto bytes = static_cast<int64_t>(table.size() * sizeof(float));
    rope_ = backend_->allocate(bytes);
    backend_->copy_to_device(rope_.get(), table.data(), bytes);
}

int64_t Model::Workspace::activation_bytes(const ModelConfig& config, int64_t max_tokens, int64_t max_rows) {
    return ActivationLayout(config, max_tokens, max_rows).total * int64_t{sizeof(float)};
}

Model::Workspace::Workspace(const Model& model, int64_t max_tokens, int64_t max_rows)
    : stream_(model.backend().make_stream()),
      staging_(model.backend()),
      max_tokens_(max_tokens),
      max_rows_(max_rows),
      activation_bytes_(activation_bytes(model.config(), max_tokens, max_rows)) {
    HEARTH_CHECK(max_tokens > 0 && max_rows > 0);
    memory_ = model.backend().allocate(activation_bytes_);
    ScratchCount count{model.backend().device()};
    for (int64_t tokens = 1; tokens <= max_tokens;
         tokens = tokens == max_tokens ? tokens + 1 : std::min(max_tokens, tokens < 16 ? tokens + 1 : 2 * tokens)) {
        for (const DType cache : {DType::kBf16, DType::kF32, DType::kI8}) {
            for (const int64_t sequences : {int64_t{1}, tokens})
                PlannedStep(model.config(), tokens, sequences, model.max_context(), cache).visit(model.config(), model.weights(), count);
        }
    }
    reserve_scratch(count.most);
}

Model::Workspace::~Workspace() = default;

void Model::Workspace::reserve_scratch(size_t bytes) {
    if (bytes <= scratch_bytes_) return;
    stream_->reserve(bytes);
    scratch_bytes_ = bytes;
}

View<const float, 2> Model::forward(const Batch& batch, const KvCache& cache, Workspace& workspace, const HiddenObserver& observer) const {
    const int64_t T = batch.num_tokens(), S = batch.num_seqs(), R = static_cast<int64_t>(batch.logit_rows.size());
    HEARTH_CHECK(T > 0 && T <= workspace.max_tokens_ && R <= workspace.max_rows_);
    HEARTH_CHECK(batch.table_width <= ceil_div(max_context_, kBlockTokens));
    for (int64_t s = 0; s < S; ++s)
        HEARTH_CHECK(batch.positions[static_cast<size_t>(batch.seq_starts[static_cast<size_t>(s) + 1]) - 1] < max_context_);

    const std::lock_guard turn(workspace.stream());
    Staging& staging = workspace.staging_;
    staging.begin();
    const auto put = [&](const std::vector<int32_t>& v) { return staging.put(v.data(), v.size()); };
    const size_t ids = put(batch.token_ids), positions = put(batch.positions), slots = put(batch.slots), starts = put(batch.seq_starts),
                 tables = put(batch.block_tables), rows = put(batch.logit_rows);
    staging.upload();

    StepViews step;
    step.ids = staging.at<int32_t, 1>(ids, {T});
    step.positions = staging.at<int32_t, 1>(positions, {T});
    step.slots = staging.at<int32_t, 1>(slots, {T});
    step.seq_starts = staging.at<int32_t, 1>(starts, {S + 1});
    step.block_tables = staging.at<int32_t, 2>(tables, {S, batch.table_width});
    step.rows = staging.at<int32_t, 1>(rows, {R});
    step.rope = {reinterpret_cast<const float*>(rope_.get()), {max_context_, config_.head_dim}};
    ActivationLayout(config_, workspace.max_tokens_, workspace.max_rows_)
        .bind(config_, reinterpret_cast<float*>(workspace.memory_.get()), T, R, step);

    Runner runner{.config = config_,
                  .backend = *backend_,
                  .stream = workspace.stream(),
                  .observer = observer,
                  .x = step.x,
                  .profile = workspace.profile_};
    visit_stages(
        config_, weights_, [&](int64_t i) -> const KvPages& { return cache.layer(i); }, step, runner);
    return as_const(step.logits);
}

void Model::final_states(Workspace& workspace, int64_t first, int64_t count, std::span<float> out) const {
    const int64_t hidden = config_.hidden;
    HEARTH_CHECK(first >= 0 && count > 0 && first + count <= workspace.max_tokens_ && std::ssize(out) == count * hidden);
    if (!workspace.states_) workspace.states_ = backend_->allocate(workspace.max_tokens_ * hidden * int64_t{sizeof(float)});
    StepViews step;
    ActivationLayout(config_, workspace.max_tokens_, workspace.max_rows_)
        .bind(config_, reinterpret_cast<float*>(workspace.memory_.get()), workspace.max_tokens_, workspace.max_rows_, step);
    const NormArgs args{.x = {step.x.data + first * hidden, {count, hidden}},
                        .weight = weights_.final_norm.view(),
                        .eps = config_.rms_eps,
                        .y = {reinterpret_cast<float*>(workspace.states_.get()), {count, hidden}}};
    Stream& stream = workspace.stream();
    const auto& norm = select(stream.tables().norm, args, stream.device());
    workspace.reserve_scratch(norm.workspace_bytes(args, stream.device()));
    const std::lock_guard turn(stream);
    norm.run(args, stream);
    stream.wait();
    backend_->copy_to_host(out.data(), workspace.states_.get(), count * hidden * int64_t{sizeof(float)});
}

}  // namespace hearth
