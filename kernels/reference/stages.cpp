// The stages that chain others, spelled out from the reference's primitives.
#include "kernels/reference/math.h"
#include "kernels/reference/reference.h"
#include "kernels/rope_append_of.h"
#include "kernels/scratch.h"

namespace hearth {
namespace {

void norm_rows(View<const float, 2> x, View<const float, 1> weight, float eps, View<float, 2> y) {
    for (int64_t t = 0; t < x.extent[0]; ++t) reference::norm_row(x.row(t), weight, eps, x.extent[1], y.row(t));
}

void run_qkv(const QkvArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    const View<float, 2> normed = scratch.matrix(a.x.extent[0], a.x.extent[1]), qkv = scratch.matrix(a.x.extent[0], a.w.n);
    norm_rows(a.x, a.norm_weight, a.eps, normed);
    reference::matmul(as_const(normed), a.w, a.bias, false, qkv, scratch.take<float>(a.w.k));
    kRopeAppendReference.run(rope_append_of(a, as_const(qkv)), stream);
}

size_t workspace_qkv(const QkvArgs& a, const Device&) {
    return scratch_bytes<float>(a.x.size()) + scratch_bytes<float>(a.x.extent[0] * a.w.n) + scratch_bytes<float>(a.w.k);
}

void run_project(const ProjectArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    reference::matmul(a.x, a.w, a.bias, true, a.y, scratch.take<float>(a.w.k));
}

size_t workspace_project(const ProjectArgs& a, const Device&) { return scratch_bytes<float>(a.w.k); }

void run_gate_up(const GateUpArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    const View<float, 2> normed = scratch.matrix(a.x.extent[0], a.x.extent[1]), up = scratch.matrix(a.x.extent[0], a.up.n);
    float* unpacked = scratch.take<float>(a.gate.k);
    norm_rows(a.x, a.norm_weight, a.eps, normed);
    reference::matmul(as_const(normed), a.gate, a.gate_bias, false, a.y, unpacked);
    reference::matmul(as_const(normed), a.up, a.up_bias, false, up, unpacked);
    for (int64_t t = 0; t < a.x.extent[0]; ++t) {
        for (int64_t n = 0; n < a.gate.n; ++n) a.y(t, n) = reference::silu(a.y(t, n)) * up(t, n);
    }
}

size_t workspace_gate_up(const GateUpArgs& a, const Device&) {
    return scratch_bytes<float>(a.x.size()) + scratch_bytes<float>(a.x.extent[0] * a.up.n) + scratch_bytes<float>(a.gate.k);
}

void run_head(const HeadArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    const View<float, 2> normed = scratch.matrix(a.rows.extent[0], a.x.extent[1]);
    for (int64_t r = 0; r < a.rows.extent[0]; ++r)
        reference::norm_row(a.x.row(a.rows(r)), a.norm_weight, a.eps, a.x.extent[1], normed.row(r));
    reference::matmul(as_const(normed), a.w, {}, false, a.logits, scratch.take<float>(a.w.k));
}

size_t workspace_head(const HeadArgs& a, const Device&) {
    return scratch_bytes<float>(a.rows.extent[0] * a.x.extent[1]) + scratch_bytes<float>(a.w.k);
}

template <class Args>
bool always(const Args&, const Device&) {
    return true;
}

}  // namespace

const Variant<QkvArgs> kQkvReference{"qkv/reference", [](const QkvArgs& a, const Device&) { return a.cache.head_dim <= 512; },
                                     workspace_qkv, run_qkv};
const Variant<ProjectArgs> kProjectReference{"project/reference", always<ProjectArgs>, workspace_project, run_project};
const Variant<GateUpArgs> kGateUpReference{"gate_up/reference", always<GateUpArgs>, workspace_gate_up, run_gate_up};
const Variant<HeadArgs> kHeadReference{"head/reference", always<HeadArgs>, workspace_head, run_head};

}  // namespace hearth
