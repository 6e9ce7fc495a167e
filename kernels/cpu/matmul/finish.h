// What follows a matmul's sums: bias, residual, SiLU(gate) * up, and the way into y.
#pragma once

#include "kernels/cpu/simd.h"
#include "kernels/ops.h"

namespace hearth::cpu {

/// The outputs [begin, begin + count) of one panel, lane by lane of V. f(offset in the panel, lanes that exist).
template <class V, class F>
HEARTH_INLINE void for_lanes(int64_t count, F&& f) {
    for (int64_t i = 0; i < count; i += V::kLanes) f(i, std::min<int64_t>(V::kLanes, count - i));
}

/// y = sums + bias + residual for one panel. sums [rows][16].
template <class V>
void finish_plain(const MatmulArgs& a, int64_t panel, int64_t row, int64_t rows, const float* sums) {
    const int64_t begin = panel * kPanelRows, count = std::min(kPanelRows, a.w.n - begin);
    for (int64_t r = 0; r < rows; ++r) {
        float* y = a.y.row(row + r) + begin;
        const float* residual = a.residual.data ? a.residual.row(row + r) + begin : nullptr;
        for_lanes<V>(
            count, [&](int64_t i, int64_t lanes) __attribute__((always_inline)) {
                auto v = V::load(sums + r * kPanelRows + i);
                if (a.bias.data) v = V::add(v, V::load(a.bias.data + begin + i, lanes));
                if (residual) v = V::add(v, V::load(residual + i, lanes));
                V::store(y + i, v, lanes);
            });
    }
}

/// y = silu(gate + bias) * (up + up_bias) for one panel. gate, up [rows][16]. kPast: whole lines of y go past the caches, where they
/// would only push out what the tiles need; the thread must fence before others read them.
template <class V, bool kPast = false>
void finish_gated(const MatmulArgs& a, int64_t panel, int64_t row, int64_t rows, const float* gate, const float* up) {
    const int64_t begin = panel * kPanelRows, count = std::min(kPanelRows, a.w.n - begin);
    for (int64_t r = 0; r < rows; ++r) {
        float* y = a.y.row(row + r) + begin;
        for_lanes<V>(
            count, [&](int64_t i, int64_t lanes) __attribute__((always_inline)) {
                auto g = V::load(gate + r * kPanelRows + i), u = V::load(up + r * kPanelRows + i);
                if (a.bias.data) g = V::add(g, V::load(a.bias.data + begin + i, lanes));
                if (a.up_bias.data) u = V::add(u, V::load(a.up_bias.data + begin + i, lanes));
                const auto out = V::mul(silu<V>(g), u);
                if (kPast && lanes == V::kLanes && reinterpret_cast<uintptr_t>(y + i) % sizeof out == 0) {
                    V::store_past(y + i, out);
                } else {
                    V::store(y + i, out, lanes);
                }
            });
    }
}

}  // namespace hearth::cpu
