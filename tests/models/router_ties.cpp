#include "tests/models/router_ties.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include "kernels/make_backend.h"
#include "tests/models/run_model.h"

namespace hearth::testing {
namespace {

/// The residual stream before the experts of `layer`: that of a model which ends there and whose last experts give nothing.
std::vector<float> before_experts(const Model& model, int64_t layer, std::span<const int32_t> ids) {
    ModelConfig config = model.config();
    Weights weights = model.weights();
    config.layers = layer + 1;
    config.windows.resize(static_cast<size_t>(layer) + 1);
    weights.layers.resize(static_cast<size_t>(layer) + 1);
    LayerWeights& last = weights.layers.back();
    const DeviceBytes nothing = model.backend().allocate(last.expert_down.front().bytes);
    for (Weight& down : last.expert_down) down.data = nothing.get();
    last.expert_bytes.push_back(nothing);

    BackendOptions options;
    options.device = "reference";
    const Model cut(config, weights, make_backend(options), model.max_context());
    const KvCache cache(config, cut.backend(), (std::ssize(ids) + kBlockTokens - 1) / kBlockTokens, DType::kF32);
    Model::Workspace workspace(cut, std::ssize(ids), 1);
    std::vector<BlockId> blocks(static_cast<size_t>(cache.num_blocks()));
    for (size_t b = 0; b < blocks.size(); ++b) blocks[b] = static_cast<BlockId>(b);
    Batch batch;
    batch.begin(cache.num_blocks());
    batch.add(ids, 0, blocks, 1);
    std::vector<float> out;
    cut.forward(batch, cache, workspace, [&](int64_t at, View<const float, 2> x) {
        if (at == layer + 1) out.assign(x.data, x.data + x.size());
    });
    return out;
}

/// Router logits of one token, sorted downwards.
std::vector<double> router_logits(const ModelConfig& config, const LayerWeights& layer, const float* x) {
    double squares = 0;
    for (int64_t i = 0; i < config.hidden; ++i) squares += double{x[i]} * double{x[i]};
    const double scale = 1 / std::sqrt(squares / static_cast<double>(config.hidden) + double{config.rms_eps});
    std::vector<double> out;
    std::vector<float> row(static_cast<size_t>(config.hidden));
    for (int64_t e = 0; e < config.experts; ++e) {
        unpack_row(layer.router.weight, e, row.data());
        double sum = 0;
        for (int64_t i = 0; i < config.hidden; ++i)
            sum += x[i] * scale * double{layer.mlp_norm.view()(i)} * double{row[static_cast<size_t>(i)]};
        out.push_back(sum);
    }
    std::ranges::sort(out, std::greater());
    return out;
}

}  // namespace

std::vector<float> router_margins(const Model& model, std::span<const int32_t> ids) {
    std::vector<float> out(ids.size(), std::numeric_limits<float>::infinity());
    const ModelConfig& c = model.config();
    if (c.experts <= c.experts_per_token) return out;
    for (int64_t layer = 0; layer < c.layers; ++layer) {
        const auto x = before_experts(model, layer, ids);
        for (size_t t = 0; t < ids.size(); ++t) {
            const auto logits =
                router_logits(c, model.weights().layers[static_cast<size_t>(layer)], x.data() + t * static_cast<size_t>(c.hidden));
            const auto k = static_cast<size_t>(c.experts_per_token);
            out[t] = std::min(out[t], static_cast<float>(logits[k - 1] - logits[k]));
        }
    }
    return out;
}

}  // namespace hearth::testing
