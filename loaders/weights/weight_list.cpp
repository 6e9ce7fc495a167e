#include "loaders/weights/weight_list.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

constexpr int64_t kMaxRotationBytes = 4'000'000'000;  // a million positions of head size 128 take an eighth

/// Writes the list of one layer.
class LayerWalk {
public:
    LayerWalk(const ModelConfig& config, const TensorNames& names, int64_t layer, WeightVisitor& visitor)
        : config_(config), family_(names.family), prefix_(cat(names.prefix, "layers.", layer, ".")), visitor_(visitor) {}

    void walk(LayerWeights& out) {
        const ModelConfig& c = config_;
        const int64_t q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
        vector({{"input_layernorm.weight", c.hidden}}, out.attention_norm);
        matrix({{"self_attn.q_proj.weight", q, c.hidden},
                {"self_attn.k_proj.weight", kv, c.hidden},
                {"self_attn.v_proj.weight", kv, c.hidden}},
               out.qkv);
        if (c.qkv_bias) vector({{"self_attn.q_proj.bias", q}, {"self_attn.k_proj.bias", kv}, {"self_attn.v_proj.bias", kv}}, out.qkv_bias);
        if (c.qk_norm) {
            vector({{"self_attn.q_norm.weight", c.head_dim}}, out.q_norm);
            vector({{"self_attn.k_norm.weight", c.head_dim}}, out.k_norm);
        }
        matrix({{"self_attn.o_proj.weight", c.hidden, q}}, out.out);
        if (c.o_bias) vector({{"self_attn.o_proj.bias", c.hidden}}, out.out_bias);
        vector({{"post_attention_layernorm.weight", c.hidden}}, out.mlp_norm);
        if (c.experts > 0) {
            walk_experts(out);
        } else {
            walk_mlp(out);
        }
    }

private:
    void walk_mlp(LayerWeights& out) {
        const int64_t hidden = config_.hidden, inner = config_.intermediate;
        matrix({{"mlp.gate_proj.weight", inner, hidden}}, out.gate);
        matrix({{"mlp.up_proj.weight", inner, hidden}}, out.up);
        matrix({{"mlp.down_proj.weight", hidden, inner}}, out.down);
        if (!config_.mlp_bias) return;
        vector({{"mlp.gate_proj.bias", inner}}, out.gate_bias);
        vector({{"mlp.up_proj.bias", inner}}, out.up_bias);
        vector({{"mlp.down_proj.bias", hidden}}, out.down_bias);
    }

    void walk_experts(LayerWeights& out) {
        HEARTH_CHECK(family_ && !family_->experts.router.empty());
        const int64_t hidden = config_.hidden, inner = config_.intermediate;
        matrix({{std::string(family_->experts.router), config_.experts, hidden}}, out.router);
        for (int64_t e = 0; e < config_.experts; ++e) {
            expert(family_->experts.gate, e, inner, hidden, out.expert_gate, out);
            expert(family_->experts.up, e, inner, hidden, out.expert_up, out);
            expert(family_->experts.down, e, hidden, inner, out.expert_down, out);
        }
    }

    void expert(std::string_view pattern, int64_t e, int64_t n, int64_t k, std::vector<Weight>& weights, LayerWeights& out) {
        const size_t at = pattern.find('#');
        DeviceWeight weight;
        matrix({{cat(pattern.substr(0, at), e, pattern.substr(at + 1)), n, k}}, weight);
        weights.push_back(weight.weight);
        out.expert_bytes.push_back(std::move(weight.bytes));
    }

    void matrix(std::vector<NeededTensor> parts, DeviceWeight& out) {
        for (NeededTensor& part : parts) part.name.insert(0, prefix_);
        visitor_.matrix(parts, WeightUse::kMatmul, out);
    }

    void vector(std::vector<NeededTensor> parts, DeviceVector& out) {
        for (NeededTensor& part : parts) part.name.insert(0, prefix_);
        visitor_.vector(parts, out);
    }

    const ModelConfig& config_;
    const Family* family_;
    std::string prefix_;
    WeightVisitor& visitor_;
};

}  // namespace

Weights visit_weights(const ModelConfig& config, const TensorNames& names, WeightVisitor& visitor) {
    Weights out;
    if (!config.tied_embeddings)
        visitor.matrix({{names.prefix + "embed_tokens.weight", config.vocab, config.hidden}}, WeightUse::kLookup, out.embed);
    out.layers.resize(static_cast<size_t>(config.layers));
    for (int64_t i = 0; i < config.layers; ++i) LayerWalk(config, names, i, visitor).walk(out.layers[static_cast<size_t>(i)]);
    visitor.vector({{names.prefix + "norm.weight", config.hidden}}, out.final_norm);
    visitor.matrix({{config.tied_embeddings ? names.embed : "lm_head.weight", config.vocab, config.hidden}}, WeightUse::kMatmul, out.head);
    if (config.tied_embeddings) out.embed = out.head;
    return out;
}

int64_t checked_context(const ModelConfig& config, int64_t wanted) {
    const int64_t context = wanted > 0 ? wanted : config.context;
    const auto bytes = checked_mul(context, config.head_dim * int64_t{sizeof(float)});
    if (!bytes || *bytes > kMaxRotationBytes) {
        throw Error(ErrorKind::kTooLarge,
                    cat("a context of ", context, " positions needs a table of rotations of more than ", human_bytes(kMaxRotationBytes),
                        "; at most ", kMaxRotationBytes / (config.head_dim * int64_t{sizeof(float)}), " are possible"));
    }
    return context;
}

}  // namespace hearth
