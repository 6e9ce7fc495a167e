#include "kernels/composite/routing.h"
#include "kernels/reference/math.h"
#include "kernels/reference/reference.h"
#include "kernels/scratch.h"

namespace hearth {
namespace {

void run(const ExpertsArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    const int64_t k = a.x.extent[1], inner = a.gate(0).n, experts = a.router.n;
    float *normed = scratch.take<float>(k), *unpacked = scratch.take<float>(std::max(k, inner)), *hidden = scratch.take<float>(inner);
    float *logits = scratch.take<float>(experts), *weights = scratch.take<float>(a.top_k), *sum = scratch.take<float>(k);
    auto* chosen = scratch.take<int32_t>(a.top_k);
    for (int64_t t = 0; t < a.x.extent[0]; ++t) {
        reference::norm_row(a.x.row(t), a.norm_weight, a.eps, k, normed);
        for (int64_t e = 0; e < experts; ++e) logits[e] = reference::dot_row(a.router, e, normed, unpacked);
        route(logits, experts, a.top_k, a.renormalize, chosen, weights);
        std::fill_n(sum, k, 0.0f);
        for (int64_t c = 0; c < a.top_k; ++c) {
            const int64_t e = chosen[c];
            for (int64_t i = 0; i < inner; ++i) {
                hidden[i] =
                    reference::silu(reference::dot_row(a.gate(e), i, normed, unpacked)) * reference::dot_row(a.up(e), i, normed, unpacked);
            }
            for (int64_t i = 0; i < k; ++i) sum[i] += weights[c] * reference::dot_row(a.down(e), i, hidden, unpacked);
        }
        for (int64_t i = 0; i < k; ++i) a.x(t, i) += sum[i];
    }
}

size_t workspace(const ExpertsArgs& a, const Device&) {
    const int64_t k = a.x.extent[1], inner = a.gate(0).n;
    return 2 * scratch_bytes<float>(k) + scratch_bytes<float>(std::max(k, inner)) + scratch_bytes<float>(inner) +
           scratch_bytes<float>(a.router.n) + scratch_bytes<float>(a.top_k) + scratch_bytes<int32_t>(a.top_k);
}

}  // namespace

const Variant<ExpertsArgs> kExpertsReference{"experts/reference", [](const ExpertsArgs&, const Device&) { return true; }, workspace, run};

}  // namespace hearth
