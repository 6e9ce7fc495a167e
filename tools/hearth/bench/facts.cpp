#include "tools/hearth/bench/facts.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "tools/hearth/inspect/kernel_choice.h"

namespace hearth::tool {

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> out{};
    std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return out.data();
}

/// Of the largest weight, for a step of `tokens` tokens.
std::string matmul_variant(const Model& model, int64_t tokens) {
    const LayerWeights& layer = model.weights().layers[0];
    const Weight& w = layer.expert_down.empty() ? layer.down.weight : layer.expert_down[0];
    std::vector<float> x(static_cast<size_t>(tokens * w.k)), y(static_cast<size_t>(tokens * w.n));
    const MatmulArgs args{
        .x = {x.data(), {tokens, w.k}}, .w = w, .up = {}, .bias = {}, .up_bias = {}, .residual = {}, .y = {y.data(), {tokens, w.n}}};
    const auto* variant = find_variant(model.backend().tables().matmul, args, model.backend().device());
    return variant ? std::string(variant->name) : "none";
}

/// Numbers of all matrices: for a shape without files, which counts none.
int64_t count_parameters(const Model& model) {
    const Weights& w = model.weights();
    int64_t out = w.head.weight.n * w.head.weight.k * (model.config().tied_embeddings ? 1 : 2);
    for (const LayerWeights& layer : w.layers) {
        for (const Weight& m : {layer.qkv.weight, layer.out.weight, layer.gate.weight, layer.up.weight, layer.down.weight})
            out += m.n * m.k;
        for (const auto* experts : {&layer.expert_gate, &layer.expert_up, &layer.expert_down}) {
            for (const Weight& m : *experts) out += m.n * m.k;
        }
    }
    return out;
}

std::string variants_of(const Model& model, const BenchTest& test, DType cache) {
    EngineOptions engine;
    engine.context = test.context();
    engine.max_step_tokens = test.batch;
    engine.cache_dtype = cache;
    return variants_text(choose_kernels(model.config(), model.weights(), model.backend(), engine));
}

}  // namespace hearth::tool
