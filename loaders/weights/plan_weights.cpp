#include "loaders/weights/plan_weights.h"

#include <algorithm>
#include <optional>

#include "loaders/checkpoint/settle_names.h"
#include "loaders/weights/matrix_source.h"

namespace hearth {
namespace {

/// Device bytes of every weight, without allocating any.
class Planner : public WeightVisitor {
public:
    /// `source` null: every tensor counts as `dtype`, quantised by `rules`.
    Planner(const MatrixSource* source, DType dtype, const QuantizeRules& rules, const Backend& backend)
        : source_(source), dtype_(dtype), rules_(rules), backend_(backend) {}

    void matrix(const std::vector<NeededTensor>& parts, WeightUse use, DeviceWeight& out) override {
        if (source_) {
            out.weight = backend_.plan(source_->plan(parts, use).matrices, use);
        } else {
            std::vector<HostMatrix> matrices;
            const auto kind = rules_.kind_of(parts, use);
            for (const NeededTensor& part : parts)
                matrices.push_back({.dtype = dtype_, .data = nullptr, .n = part.n, .k = part.k, .quantize = kind});
            out.weight = backend_.plan(matrices, use);
        }
        bytes += out.weight.bytes;
    }
    void vector(const std::vector<NeededTensor>& parts, DeviceVector& out) override {
        for (const NeededTensor& part : parts) out.size += part.n;
        bytes += out.size * int64_t{sizeof(float)};
    }

    int64_t bytes = 0;

private:
    const MatrixSource* source_;
    DType dtype_;
    const QuantizeRules& rules_;
    const Backend& backend_;
};

DType stored_type(const std::string& name) {
    for (DType type : {DType::kF32, DType::kF16}) {
        if (name == name_of(type)) return type;
    }
    return DType::kBf16;
}

/// Walks the weights of a checkpoint (or, without files, of a shape) with a Planner.
template <class Use>
void plan_weights(const CheckpointInfo& info, int64_t layers, const Backend& backend, const QuantizeOptions& quantize, Use&& use) {
    std::optional<MatrixSource> source;
    CheckpointInfo settled = info;
    ModelConfig& config = settled.config;
    TensorNames names{.family = find_family(config.family)};
    if (info.checkpoint) names = settle_names(*info.checkpoint, settled);
    check_rules(config, names, quantize);
    const QuantizeRules rules(quantize, names);
    if (info.checkpoint) source.emplace(*info.checkpoint, info.scheme.get(), rules);
    Planner planner(source ? &*source : nullptr, stored_type(info.config.stored_dtype), rules, backend);
    config.layers = std::min(config.layers, layers);
    Weights weights = visit_weights(config, names, planner);
    use(planner.bytes, std::move(weights));
}

}  // namespace

int64_t planned_weight_bytes(const CheckpointInfo& info, const Backend& backend, const QuantizeOptions& quantize) {
    int64_t out = 0;
    plan_weights(info, info.config.layers, backend, quantize, [&](int64_t bytes, Weights&&) { out = bytes; });
    return out;
}

Weights planned_layers(const CheckpointInfo& info, const Backend& backend, const QuantizeOptions& quantize, const std::byte* stand_in) {
    Weights out;
    plan_weights(info, info.config.layers, backend, quantize, [&](int64_t, Weights&& weights) { out = std::move(weights); });
    for (DeviceWeight* weight : {&out.embed, &out.head}) weight->weight.data = stand_in;
    for (LayerWeights& layer : out.layers) {
        for (DeviceWeight* weight : {&layer.qkv, &layer.out, &layer.gate, &layer.up, &layer.down, &layer.router}) {
            if (weight->weight.n > 0) weight->weight.data = stand_in;
        }
        for (auto* experts : {&layer.expert_gate, &layer.expert_up, &layer.expert_down}) {
            for (Weight& weight : *experts) weight.data = stand_in;
        }
    }
    return out;
}

}  // namespace hearth
