#include "kernels/composite/composite.h"

#include <algorithm>
#include <cstring>

#include "kernels/rope_append_of.h"
#include "kernels/scratch.h"

namespace hearth {
namespace {

/// The parts of a stage as arguments of primitives. Built once for supports and workspace (with null data: variants look at shapes
/// and formats alone), once more to run.
struct QkvParts {
    NormArgs norm;
    MatmulArgs matmul;
    RopeAppendArgs rope;
};

QkvParts parts_of(const QkvArgs& a, float* normed, float* qkv) {
    const int64_t tokens = a.x.extent[0];
    const View<float, 2> x(normed, {tokens, a.w.k}), y(qkv, {tokens, a.w.n});
    return {{a.x, a.norm_weight, a.eps, x},
            {.x = as_const(x), .w = a.w, .up = {}, .bias = a.bias, .up_bias = {}, .residual = {}, .y = y},
            rope_append_of(a, as_const(y))};
}

bool supports_qkv(const QkvArgs& a, const Device& device) {
    const QkvParts parts = parts_of(a, nullptr, nullptr);
    const Tables& t = *device.tables;
    return find_variant(t.norm, parts.norm, device) && find_variant(t.matmul, parts.matmul, device) &&
           find_variant(t.rope_append, parts.rope, device);
}

size_t workspace_qkv(const QkvArgs& a, const Device& device) {
    const QkvParts parts = parts_of(a, nullptr, nullptr);
    const Tables& t = *device.tables;
    return scratch_bytes<float>(a.x.extent[0] * a.w.k) + scratch_bytes<float>(a.x.extent[0] * a.w.n) +
           std::max({workspace_of(t.norm, parts.norm, device), workspace_of(t.matmul, parts.matmul, device),
                     workspace_of(t.rope_append, parts.rope, device)});
}

void run_qkv(const QkvArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    const int64_t tokens = a.x.extent[0];
    float *normed = scratch.take<float>(tokens * a.w.k), *qkv = scratch.take<float>(tokens * a.w.n);
    const QkvParts parts = parts_of(a, normed, qkv);
    run_variant(stream.tables().norm, parts.norm, stream);
    run_variant(stream.tables().matmul, parts.matmul, stream);
    run_variant(stream.tables().rope_append, parts.rope, stream);
}

MatmulArgs matmul_of(const ProjectArgs& a) {
    return {.x = a.x, .w = a.w, .up = {}, .bias = a.bias, .up_bias = {}, .residual = as_const(a.y), .y = a.y};
}

bool supports_project(const ProjectArgs& a, const Device& device) { return find_variant(device.tables->matmul, matmul_of(a), device); }
size_t workspace_project(const ProjectArgs& a, const Device& device) { return workspace_of(device.tables->matmul, matmul_of(a), device); }
void run_project(const ProjectArgs& a, Stream& stream) noexcept { run_variant(stream.tables().matmul, matmul_of(a), stream); }

struct NormMatmul {
    NormArgs norm;
    MatmulArgs matmul;
};

NormMatmul parts_of(const GateUpArgs& a, float* normed) {
    const View<float, 2> x(normed, {a.x.extent[0], a.gate.k});
    return {{a.x, a.norm_weight, a.eps, x},
            {.x = as_const(x), .w = a.gate, .up = a.up, .bias = a.gate_bias, .up_bias = a.up_bias, .residual = {}, .y = a.y}};
}

/// `rows`: those of a.x gathered; also what the norm writes.
NormMatmul parts_of(const HeadArgs& a, float* rows) {
    const View<float, 2> x(rows, {a.rows.extent[0], a.w.k});
    return {{as_const(x), a.norm_weight, a.eps, x},
            {.x = as_const(x), .w = a.w, .up = {}, .bias = {}, .up_bias = {}, .residual = {}, .y = a.logits}};
}

template <class Args>
bool supports_norm_matmul(const Args& a, const Device& device) {
    const NormMatmul parts = parts_of(a, nullptr);
    return find_variant(device.tables->norm, parts.norm, device) && find_variant(device.tables->matmul, parts.matmul, device);
}

template <class Args>
size_t workspace_norm_matmul(const Args& a, const Device& device) {
    const NormMatmul parts = parts_of(a, nullptr);
    return scratch_bytes<float>(parts.norm.y.size()) +
           std::max(workspace_of(device.tables->norm, parts.norm, device), workspace_of(device.tables->matmul, parts.matmul, device));
}

void run_gate_up(const GateUpArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    const NormMatmul parts = parts_of(a, scratch.take<float>(a.x.extent[0] * a.gate.k));
    run_variant(stream.tables().norm, parts.norm, stream);
    run_variant(stream.tables().matmul, parts.matmul, stream);
}

void run_head(const HeadArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    const int64_t k = a.w.k;
    float* rows = scratch.take<float>(a.rows.extent[0] * k);
    for (int64_t r = 0; r < a.rows.extent[0]; ++r) std::memcpy(rows + r * k, a.x.row(a.rows(r)), static_cast<size_t>(k) * sizeof(float));
    const NormMatmul parts = parts_of(a, rows);
    run_variant(stream.tables().norm, parts.norm, stream);
    run_variant(stream.tables().matmul, parts.matmul, stream);
}

}  // namespace

const Variant<QkvArgs> kQkvComposite{"qkv/composite", supports_qkv, workspace_qkv, run_qkv};
const Variant<ProjectArgs> kProjectComposite{"project/composite", supports_project, workspace_project, run_project};
const Variant<GateUpArgs> kGateUpComposite{"gate_up/composite", supports_norm_matmul<GateUpArgs>, workspace_norm_matmul<GateUpArgs>,
                                           run_gate_up};
const Variant<HeadArgs> kHeadComposite{"head/composite", supports_norm_matmul<HeadArgs>, workspace_norm_matmul<HeadArgs>, run_head};

}  // namespace hearth
