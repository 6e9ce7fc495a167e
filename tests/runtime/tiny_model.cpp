#include "tests/runtime/tiny_model.h"
#include "kernels/make_backend.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace hearth::testing {
namespace {

// Makes tensors on a device, each from the next numbers of one seeded generator.
class Maker {
public:
    Maker(const Backend& backend, uint64_t seed) : backend_(backend), stream_(backend.make_stream()), random_(seed) {}

    std::vector<float> numbers(int64_t count, float mean, float spread) {
        std::normal_distribution<float> normal(mean, spread);
        std::vector<float> out(static_cast<size_t>(count));
        for (float& x : out) x = normal(random_);
        return out;
    }

    DeviceVector vector(int64_t size) {
        const auto host = numbers(size, 1, 0.2f);
        DeviceVector out{backend_.allocate(size * 4), size};
        backend_.copy_to_device(out.bytes.get(), host.data(), size * 4);
        return out;
    }

    DeviceWeight weight(const std::vector<float>& rows, int64_t n, int64_t k, WeightUse use = WeightUse::kMatmul) {
        const HostMatrix part{.dtype = DType::kF32, .data = rows.data(), .n = n, .k = k};
        DeviceWeight out;
        out.bytes = backend_.allocate(backend_.plan({&part, 1}, use).bytes);
        out.weight = backend_.prepare({&part, 1}, use, out.bytes.get(), *stream_);
        return out;
    }
    DeviceWeight weight(int64_t n, int64_t k) { return weight(numbers(n * k, 0, 1.5f / std::sqrt(static_cast<float>(k))), n, k); }

private:
    const Backend& backend_;
    std::unique_ptr<Stream> stream_;
    std::mt19937_64 random_;
};

LayerWeights layer(Maker& make, const ModelConfig& c) {
    LayerWeights l;
    l.attention_norm = make.vector(c.hidden);
    l.qkv = make.weight(c.qkv_rows(), c.hidden);
    l.out = make.weight(c.hidden, c.heads * c.head_dim);
    l.mlp_norm = make.vector(c.hidden);
    if (c.experts == 0) {
        l.gate = make.weight(c.intermediate, c.hidden);
        l.up = make.weight(c.intermediate, c.hidden);
        l.down = make.weight(c.hidden, c.intermediate);
        return l;
    }
    l.router = make.weight(c.experts, c.hidden);
    const auto expert = [&](std::vector<Weight>& into, int64_t n, int64_t k) {
        DeviceWeight w = make.weight(n, k);
        into.push_back(w.weight);
        l.expert_bytes.push_back(std::move(w.bytes));
    };
    for (int64_t e = 0; e < c.experts; ++e) {
        expert(l.expert_gate, c.intermediate, c.hidden);
        expert(l.expert_up, c.intermediate, c.hidden);
        expert(l.expert_down, c.hidden, c.intermediate);
    }
    return l;
}

}  // namespace

ModelConfig tiny_config(const TinyOptions& o) {
    ModelConfig c;
    c.family = o.experts > 0 ? "mixtral" : "llama";
    c.layers = o.layers;
    c.hidden = o.hidden;
    c.intermediate = o.intermediate;
    c.heads = o.heads;
    c.kv_heads = o.kv_heads;
    c.head_dim = o.head_dim;
    c.vocab = o.vocab;
    c.context = o.max_context;
    c.windows.assign(static_cast<size_t>(o.layers), o.window);
    c.experts = o.experts;
    c.experts_per_token = o.experts > 0 ? o.experts_per_token : 0;
    c.tied_embeddings = o.tied;
    return c;
}

std::shared_ptr<const Model> tiny_model(const TinyOptions& o, std::shared_ptr<const Backend> backend) {
    if (!backend) {
        BackendOptions options;
        options.device = "reference";
        backend = make_backend(options);
    }
    const ModelConfig c = tiny_config(o);
    Maker make(*backend, o.seed);
    Weights w;
    std::vector<float> table = make.numbers(c.vocab * c.hidden, 0, 1);
    if (o.poisoned_token >= 0) table[static_cast<size_t>(o.poisoned_token * c.hidden)] = std::numeric_limits<float>::quiet_NaN();
    w.embed = make.weight(table, c.vocab, c.hidden, o.tied ? WeightUse::kMatmul : WeightUse::kLookup);
    for (int64_t i = 0; i < c.layers; ++i) w.layers.push_back(layer(make, c));
    w.final_norm = make.vector(c.hidden);
    w.head = o.tied ? w.embed : make.weight(c.vocab, c.hidden);
    return std::make_shared<Model>(c, std::move(w), backend, o.max_context);
}

}  // namespace hearth::testing
