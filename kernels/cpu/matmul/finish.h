// What follows a matmul's sums: bias, residual, SiLU(gate) * up, and the way into y.
#pragma once

#include <algorithm>

#include "kernels/cpu/matmul/pairing.h"
#include "kernels/cpu/simd.h"
#include "kernels/ops.h"

namespace hearth::cpu {

/// y = sums + bias + residual for one panel. sums [rows][16].
template <class V>
void finish_plain(const MatmulArgs& a, int64_t panel, int64_t row, int64_t rows, const float* sums) {
    const int64_t begin = panel * kPanelRows, count = std::min(kPanelRows, a.w.n - begin);
    for (int64_t r = 0; r < rows; ++r) {
        float* y = a.y.row(row + r) + begin;
        const float* residual = a.residual.data ? a.residual.row(row + r) + begin : nullptr;
        for (int64_t i = 0; i < count; i += V::kLanes) {
            const int64_t lanes = std::min<int64_t>(V::kLanes, count - i);
            auto v = V::load(sums + r * kPanelRows + i);
            if (a.bias.data) v = V::add(v, V::load(a.bias.data + begin + i, lanes));
            if (residual) v = V::add(v, V::load(residual + i, lanes));
            V::store(y + i, v, lanes);
        }
    }
}

/// y = silu(gate + bias) * (up + up_bias) for one panel. gate, up [rows][16]. kPast: whole lines of y go past the caches, where they
/// would only push out what the tiles need; the thread must fence before others read them.
template <class V, bool kPast>
void finish_gated(const MatmulArgs& a, int64_t panel, int64_t row, int64_t rows, const float* gate, const float* up) {
    const int64_t begin = panel * kPanelRows, count = std::min(kPanelRows, a.w.n - begin);
    for (int64_t r = 0; r < rows; ++r) {
        float* y = a.y.row(row + r) + begin;
        for (int64_t i = 0; i < count; i += V::kLanes) {
            const int64_t lanes = std::min<int64_t>(V::kLanes, count - i);
            auto g = V::load(gate + r * kPanelRows + i), u = V::load(up + r * kPanelRows + i);
            if (a.bias.data) g = V::add(g, V::load(a.bias.data + begin + i, lanes));
            if (a.up_bias.data) u = V::add(u, V::load(a.up_bias.data + begin + i, lanes));
            const auto out = V::mul(silu<V>(g), u);
            if (kPast && lanes == V::kLanes && reinterpret_cast<uintptr_t>(y + i) % sizeof out == 0) {
                V::store_past(y + i, out);
            } else {
                V::store(y + i, out, lanes);
            }
        }
    }
}

/// The pairs of a run of panels, and how their sums reach y. Sums of a tile lie as [2][kMaxRows][16].
template <class V, int64_t kMaxRows>
class PairOutputs {
public:
    PairOutputs(const MatmulArgs& a, Range panels, Pairing pairing) : a_(a), numbers_(static_cast<bool>(a.up), panels, pairing) {}

    int64_t count() const { return numbers_.count(); }

    /// Fetches the lines of y that finish() will write.
    void fetch(int64_t i, int64_t row, int64_t rows) const {
        for (int64_t r = row; r < row + rows; ++r) {
            __builtin_prefetch(a_.y.row(r) + numbers_.first(i) * kPanelRows, 1);
            if (!a_.up && numbers_.has_second(i)) __builtin_prefetch(a_.y.row(r) + numbers_.second(i) * kPanelRows, 1);
        }
    }

    /// The sums of pair i for `rows` rows from `row` on into y. kPast: see finish_gated.
    template <bool kPast = false>
    void finish(int64_t i, int64_t row, int64_t rows, const float* sums) const {
        const float* second = sums + kMaxRows * kPanelRows;
        if (a_.up) {
            finish_gated<V, kPast>(a_, numbers_.first(i), row, rows, sums, second);
        } else {
            finish_plain<V>(a_, numbers_.first(i), row, rows, sums);
            if (numbers_.has_second(i)) finish_plain<V>(a_, numbers_.second(i), row, rows, second);
        }
    }

protected:
    /// Where the panels of pair i begin, `panel_bytes` each; the second is null where one is left over.
    const std::byte* first_of(int64_t i, int64_t panel_bytes) const { return data_of(a_.w) + numbers_.first(i) * panel_bytes; }
    const std::byte* second_of(int64_t i, int64_t panel_bytes) const {
        return numbers_.has_second(i) ? data_of(second_weight()) + numbers_.second(i) * panel_bytes : nullptr;
    }
    const Weight& first_weight() const { return a_.w; }
    const Weight& second_weight() const { return a_.up ? a_.up : a_.w; }

private:
    static const std::byte* data_of(const Weight& w) { return static_cast<const std::byte*>(w.data); }

    const MatmulArgs& a_;
    PairNumbers numbers_;
};

}  // namespace hearth::cpu
