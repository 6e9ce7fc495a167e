// The straight list of stages that a model is, as arguments: what runs,
// what is checked at load and what scratch is sized by are the same list.
#pragma once

#include <cmath>
#include <span>

#include "kernels/backend.h"
#include "runtime/model_config.h"
#include "runtime/weights.h"

namespace hearth {

/// What the stages of one step see besides weights. All on the device.
struct StepViews {
    View<const int32_t, 1> ids, positions, slots;  // [T]
    View<const int32_t, 1> seq_starts;             // [S + 1]
    View<const int32_t, 2> block_tables;           // [S, B]
    View<const int32_t, 1> rows;                   // [R], may be empty
    View<const float, 2> rope;                     // [P, D]
    View<float, 2> x;                              // [T, hidden]
    View<float, 2> q, attended;                    // [T, H * D]
    View<float, 2> mlp;                            // [T, I]; nothing for a mixture
    View<float, 2> logits;                         // [R, V]
};

/// Where the activations of a step lie in one piece of memory: elements, each part on a 64-byte border.
struct ActivationLayout {
    int64_t x = 0, q = 0, attended = 0, mlp = 0, logits = 0;
    int64_t total = 0;

    ActivationLayout(const ModelConfig& c, int64_t max_tokens, int64_t max_rows) {
        const auto part = [this](int64_t elements) {
            const int64_t at = total;
            total += (elements + 15) / 16 * 16;
            return at;
        };
        x = part(max_tokens * c.hidden);
        q = part(max_tokens * c.heads * c.head_dim);
        attended = part(max_tokens * c.heads * c.head_dim);
        mlp = part(c.experts > 0 ? 0 : max_tokens * c.intermediate);
        logits = part(max_rows * c.vocab);
    }

    /// Sets the views of `step` for T tokens and R rows, over `memory` of total elements; null views where that is null, for planning.
    void bind(const ModelConfig& c, float* memory, int64_t T, int64_t R, StepViews& step) const {
        const auto at = [memory](int64_t offset) { return memory != nullptr ? memory + offset : nullptr; };
        step.x = {at(x), {T, c.hidden}};
        step.q = {at(q), {T, c.heads * c.head_dim}};
        step.attended = {at(attended), {T, c.heads * c.head_dim}};
        step.mlp = {at(mlp), {T, c.experts > 0 ? 0 : c.intermediate}};
        step.logits = {at(logits), {R, c.vocab}};
    }
};

/// One layer's stages. `visit.stage(table, args)` is called with the pointer to the member of Tables and the arguments.
template <class Visit>
void visit_layer(const ModelConfig& c, const LayerWeights& l, int64_t window, const KvPages& cache, const StepViews& s, Visit& visit) {
    visit.stage(&Tables::qkv, QkvArgs{.x = as_const(s.x),
                                      .norm_weight = l.attention_norm.view(),
                                      .eps = c.rms_eps,
                                      .w = l.qkv.weight,
                                      .bias = l.qkv_bias.view(),
                                      .q_norm = l.q_norm.view(),
                                      .k_norm = l.k_norm.view(),
                                      .positions = s.positions,
                                      .rope = s.rope,
                                      .slots = s.slots,
                                      .cache = cache,
                                      .num_heads = c.heads,
                                      .q = s.q});
    visit.stage(&Tables::attention, AttentionArgs{.q = as_const(s.q),
                                                  .cache = cache,
                                                  .positions = s.positions,
                                                  .seq_starts = s.seq_starts,
                                                  .block_tables = s.block_tables,
                                                  .num_heads = c.heads,
                                                  .window = window,
                                                  .scale = 1 / std::sqrt(static_cast<float>(c.head_dim)),
                                                  .y = s.attended});
    visit.stage(&Tables::project, ProjectArgs{as_const(s.attended), l.out.weight, l.out_bias.view(), s.x});
    if (c.experts > 0) {
        const auto each = [&](const std::vector<Weight>& w) { return View<const Weight, 1>(w.data(), {static_cast<int64_t>(w.size())}); };
        visit.stage(&Tables::experts, ExpertsArgs{.x = s.x,
                                                  .norm_weight = l.mlp_norm.view(),
                                                  .eps = c.rms_eps,
                                                  .router = l.router.weight,
                                                  .gate = each(l.expert_gate),
                                                  .up = each(l.expert_up),
                                                  .down = each(l.expert_down),
                                                  .top_k = c.experts_per_token,
                                                  .renormalize = c.renormalize_experts});
    } else {
        visit.stage(&Tables::gate_up, GateUpArgs{.x = as_const(s.x),
                                                 .norm_weight = l.mlp_norm.view(),
                                                 .eps = c.rms_eps,
                                                 .gate = l.gate.weight,
                                                 .up = l.up.weight,
                                                 .gate_bias = l.gate_bias.view(),
                                                 .up_bias = l.up_bias.view(),
                                                 .y = s.mlp});
        visit.stage(&Tables::project, ProjectArgs{as_const(s.mlp), l.down.weight, l.down_bias.view(), s.x});
    }
}

/// All stages in order; pages_of(i): the KvPages of layer i. `visit.layer(i)` is called after the embedding (0) and after each layer (1 to
/// layers). The head is left out when no logits are wanted.
template <class Visit, class PagesOf>
void visit_stages(const ModelConfig& c, const Weights& w, const PagesOf& pages_of, const StepViews& s, Visit& visit) {
    visit.stage(&Tables::embed, EmbedArgs{s.ids, w.embed.weight, s.x});
    visit.layer(0);
    for (int64_t i = 0; i < c.layers; ++i) {
        const int64_t window = c.windows.empty() ? 0 : c.windows[static_cast<size_t>(i)];
        visit_layer(c, w.layers[static_cast<size_t>(i)], window, pages_of(i), s, visit);
        visit.layer(i + 1);
    }
    if (s.rows.extent[0] > 0)
        visit.stage(&Tables::head, HeadArgs{.x = as_const(s.x),
                                            .rows = s.rows,
                                            .norm_weight = w.final_norm.view(),
                                            .eps = c.rms_eps,
                                            .w = w.head.weight,
                                            .logits = s.logits});
}

}  // namespace hearth
