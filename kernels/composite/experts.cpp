// A mixture of experts from matmuls: the tokens of each expert are gathered, so that an expert's weights are read once a step.
// Order of summation: a token's experts are added in order of their number, whatever else is in the step.
#include <algorithm>
#include <cstring>

#include "kernels/composite/composite.h"
#include "kernels/composite/routing.h"
#include "kernels/scratch.h"

namespace hearth {
namespace {

/// The matrices of one expert's pass over `tokens` tokens.
struct Pass {
    MatmulArgs gate_up;  // [tokens, I]
    MatmulArgs down;     // [tokens, K]
};

Pass pass_of(const ExpertsArgs& a, int64_t expert, int64_t tokens, float* x, float* hidden, float* y) {
    const View<float, 2> in(x, {tokens, a.x.extent[1]}), middle(hidden, {tokens, a.gate(expert).n}), out(y, {tokens, a.x.extent[1]});
    return {{.x = as_const(in), .w = a.gate(expert), .up = a.up(expert), .bias = {}, .up_bias = {}, .residual = {}, .y = middle},
            {.x = as_const(middle), .w = a.down(expert), .up = {}, .bias = {}, .up_bias = {}, .residual = {}, .y = out}};
}

/// What routing needs before: norm(x), then its product with the router.
struct Router {
    NormArgs norm;
    MatmulArgs matmul;
};

Router router_of(const ExpertsArgs& a, float* normed, float* logits) {
    const View<float, 2> x(normed, {a.x.extent[0], a.x.extent[1]}), y(logits, {a.x.extent[0], a.router.n});
    return {{as_const(a.x), a.norm_weight, a.eps, x},
            {.x = as_const(x), .w = a.router, .up = {}, .bias = {}, .up_bias = {}, .residual = {}, .y = y}};
}

bool supports(const ExpertsArgs& a, const Device& device) {
    const Router router = router_of(a, nullptr, nullptr);
    const Tables& t = *device.tables;
    if (!find_variant(t.norm, router.norm, device) || !find_variant(t.matmul, router.matmul, device)) return false;
    for (int64_t e = 0; e < a.router.n; ++e) {
        const Pass pass = pass_of(a, e, a.x.extent[0], nullptr, nullptr, nullptr);
        if (!find_variant(t.matmul, pass.gate_up, device) || !find_variant(t.matmul, pass.down, device)) return false;
    }
    return true;
}

size_t workspace(const ExpertsArgs& a, const Device& device) {
    const int64_t tokens = a.x.extent[0], k = a.x.extent[1], inner = a.gate(0).n;
    const Router router = router_of(a, nullptr, nullptr);
    const Pass pass = pass_of(a, 0, tokens, nullptr, nullptr, nullptr);
    const Tables& t = *device.tables;
    return 3 * scratch_bytes<float>(tokens * k) + scratch_bytes<float>(tokens * inner) + scratch_bytes<float>(tokens * a.router.n) +
           scratch_bytes<int32_t>(tokens * a.top_k) + scratch_bytes<float>(tokens * a.top_k) +
           std::max({workspace_of(t.norm, router.norm, device), workspace_of(t.matmul, router.matmul, device),
                     workspace_of(t.matmul, pass.gate_up, device), workspace_of(t.matmul, pass.down, device)});
}

void run(const ExpertsArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    const int64_t tokens = a.x.extent[0], k = a.x.extent[1], experts = a.router.n;
    float *normed = scratch.take<float>(tokens * k), *logits = scratch.take<float>(tokens * experts),
          *gathered = scratch.take<float>(tokens * k);
    float *hidden = scratch.take<float>(tokens * a.gate(0).n), *out = scratch.take<float>(tokens * k),
          *weights = scratch.take<float>(tokens * a.top_k);
    auto* chosen = scratch.take<int32_t>(tokens * a.top_k);
    const Router router = router_of(a, normed, logits);
    run_variant(stream.tables().norm, router.norm, stream);
    run_variant(stream.tables().matmul, router.matmul, stream);
    for (int64_t t = 0; t < tokens; ++t)
        route(logits + t * experts, experts, a.top_k, a.renormalize, chosen + t * a.top_k, weights + t * a.top_k);

    const auto row_bytes = static_cast<size_t>(k) * sizeof(float);
    for (int64_t e = 0; e < experts; ++e) {
        int64_t count = 0;
        for (int64_t i = 0; i < tokens * a.top_k; ++i) {
            if (chosen[i] == e) std::memcpy(gathered + count++ * k, normed + i / a.top_k * k, row_bytes);
        }
        if (count == 0) continue;
        const Pass pass = pass_of(a, e, count, gathered, hidden, out);
        run_variant(stream.tables().matmul, pass.gate_up, stream);
        run_variant(stream.tables().matmul, pass.down, stream);
        for (int64_t i = 0, row = 0; i < tokens * a.top_k; ++i) {
            if (chosen[i] != e) continue;
            float* x = a.x.row(i / a.top_k);
            for (int64_t j = 0; j < k; ++j) x[j] += weights[i] * out[row * k + j];
            ++row;
        }
    }
}

}  // namespace

const Variant<ExpertsArgs> kExpertsComposite{"experts/composite", supports, workspace, run};

}  // namespace hearth
