// Gate and up in different formats: two products by whichever variants multiply each, then silu(gate) * up.
//
// Traffic: beside the products', y twice and up's product, of T * N floats in scratch, twice. Bits: those of the variants that make the
// products.
#pragma once

#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/simd.h"
#include "kernels/ops.h"
#include "kernels/scratch.h"
#include "kernels/tables.h"

namespace hearth {

// Compiled without this file's instructions, in split.cpp.
extern template const Variant<MatmulArgs>* find_variant(std::span<const Variant<MatmulArgs>>, const MatmulArgs&, const Device&);
extern template size_t workspace_of(std::span<const Variant<MatmulArgs>>, const MatmulArgs&, const Device&);
extern template void run_variant(std::span<const Variant<MatmulArgs>>, const MatmulArgs&, Stream&);

}  // namespace hearth

namespace hearth::cpu {

/// The product with the gate goes into y, that with up into `product` (null to ask for support and scratch).
static inline MatmulArgs gate_alone(const MatmulArgs& a) {
    return {.x = a.x, .w = a.w, .up = {}, .bias = a.bias, .up_bias = {}, .residual = {}, .y = a.y};
}
static inline MatmulArgs up_alone(const MatmulArgs& a, float* product) {
    const View<float, 2> y(product, {a.x.extent[0], a.up.n});
    return {.x = a.x, .w = a.up, .up = {}, .bias = a.up_bias, .up_bias = {}, .residual = {}, .y = y};
}

static inline bool splits(const MatmulArgs& a, const Device& device) {
    if (!a.up || a.residual.data || a.y.stride[1] != 1 || (a.w.format == a.up.format && a.w.has_zeros == a.up.has_zeros)) return false;
    const auto table = device.tables->matmul;
    return find_variant(table, gate_alone(a), device) && find_variant(table, up_alone(a, nullptr), device);
}

static inline size_t split_workspace(const MatmulArgs& a, const Device& device) {
    const auto table = device.tables->matmul;
    return scratch_bytes<float>(a.x.extent[0] * a.up.n) +
           std::max(workspace_of(table, gate_alone(a), device), workspace_of(table, up_alone(a, nullptr), device));
}

template <class V>
void run_split(const MatmulArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    const int64_t tokens = a.x.extent[0], n = a.w.n;
    const MatmulArgs up = up_alone(a, scratch.take<float>(tokens * n));
    run_variant(stream.tables().matmul, gate_alone(a), stream);
    run_variant(stream.tables().matmul, up, stream);
    share(stream, tokens, tokens * n / 4, [&](Range rows) {
        for (int64_t t = rows.begin; t < rows.end; ++t) {
            float* y = a.y.row(t);
            const float* of_up = up.y.row(t);
            for (int64_t i = 0; i < n; i += V::kLanes) {
                const int64_t lanes = std::min<int64_t>(V::kLanes, n - i);
                V::store(y + i, V::mul(silu<V>(V::load(y + i, lanes)), V::load(of_up + i, lanes)), lanes);
            }
        }
    });
}

}  // namespace hearth::cpu
