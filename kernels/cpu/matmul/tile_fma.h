// The matmul tile by FMA in float32: weights of any format, widened in registers; inputs as they are.
//
// A step takes one k (two for bf16, whose panels hold pairs) of up to two panels: weights are loaded and widened once, then each token's x
// is broadcast and multiplied: 2 V::FMAs per 16 numbers of a panel and token for AVX2, one for AVX-512. Bound: FMA units for many rows,
// where widening bf16 costs 2 operations per 24 FMAs; memory for one row. Order of summation: one chain per output, k rising.
#pragma once

#include <array>
#include <cstring>

#include "kernels/cpu/matmul/driver.h"

namespace hearth::cpu {

/// How a vector's worth of outputs is read from a panel. kStep: k per load.
template <class V, WeightFormat kFormat>
struct PanelReader;

template <class V>
struct PanelReader<V, WeightFormat::kBf16> {
    static constexpr int kStep = 2, kBytes = 4;  // per output
    static HEARTH_INLINE typename V::F load(const std::byte* p, int k) { return k == 0 ? V::load_even(p) : V::load_odd(p); }
};

template <class V>
struct PanelReader<V, WeightFormat::kF16> {
    static constexpr int kStep = 1, kBytes = 2;
    static HEARTH_INLINE typename V::F load(const std::byte* p, int) { return V::load(reinterpret_cast<const F16*>(p)); }
};

template <class V>
struct PanelReader<V, WeightFormat::kF32> {
    static constexpr int kStep = 1, kBytes = 4;
    static HEARTH_INLINE typename V::F load(const std::byte* p, int) { return V::load(reinterpret_cast<const float*>(p)); }
};

/// Rows of x with k padded to whole steps.
struct FloatRows {
    float* own = nullptr;  // where they are packed to, if they must be
    const float* data = nullptr;
    int64_t stride = 0;
};

template <class V, WeightFormat kFormat, int kRegisterRows, int64_t kBlockRowsOf>
struct FmaTile {
    using Reader = PanelReader<V, kFormat>;
    using Input = FloatRows;
    static constexpr int64_t kMaxRows = kRegisterRows, kBlockRows = kBlockRowsOf, kResidentDepth = 1024, kBlockDepth = 256, kPackRows = 1;
    static constexpr int64_t kKBytes = kPanelRows * Reader::kBytes / Reader::kStep;
    static constexpr int kParts = kPanelRows / V::kLanes;                              // vectors of a panel
    static constexpr int kPairRows = kParts == 1 ? kRegisterRows : kRegisterRows / 2;  // rows that leave registers for two panels
    static constexpr int64_t kAhead = 2048;                                            // bytes of each panel to prefetch

    struct Session {  // nothing to set up
        explicit Session(int64_t) {}
    };

    static bool packs(const MatmulArgs& a) { return a.w.k % kPanelDepth != 0; }
    static size_t input_bytes(const MatmulArgs& a) {
        return packs(a) ? scratch_bytes<float>(a.x.extent[0] * round_up(a.w.k, kPanelDepth)) : 0;
    }

    static Input input(const MatmulArgs& a, Scratch& scratch) {
        if (!packs(a)) return {nullptr, a.x.data, a.x.stride[0]};
        const int64_t padded = round_up(a.w.k, kPanelDepth);
        float* own = scratch.take<float>(a.x.extent[0] * padded);
        return {own, own, padded};
    }

    static void pack(const MatmulArgs& a, const Input& input, Range rows) {
        for (int64_t r = rows.begin; r < rows.end; ++r) {
            std::memcpy(input.own + r * input.stride, a.x.row(r), static_cast<size_t>(a.w.k) * sizeof(float));
            std::memset(input.own + r * input.stride + a.w.k, 0, static_cast<size_t>(input.stride - a.w.k) * sizeof(float));
        }
    }

    /// kPanels panels times kRows rows from `x` on, over k steps of kStep; sums[panel][kMaxRows][16].
    template <int kPanels, int kRows>
    HEARTH_NO_SANITIZE static void registers(const std::byte* const* panels, const float* x, int64_t stride, int64_t steps, float* sums,
                                             bool first) {
        using F = typename V::F;
        constexpr int kVectors = kPanels * kParts;  // of outputs
        const auto place = [&](int r, int v)
                               HEARTH_INLINED { return sums + (v / kParts * kMaxRows + r) * kPanelRows + v % kParts * V::kLanes; };
        F acc[kRows][kVectors];
        HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
            HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[r][v] = first ? V::zero() : V::load(place(r, v));
        }
        const std::byte* w[kPanels];
        HEARTH_UNROLL for (int p = 0; p < kPanels; ++p) w[p] = panels[p];
        // Where rows 0, 4 and 8 begin: the others lie one to three strides on, which an address can say.
        const float* quads[3] = {x, x + 4 * stride, x + 8 * stride};
        for (int64_t step = 0; step < steps; ++step) {
            HEARTH_UNROLL for (int p = 0; p < kPanels; ++p) _mm_prefetch(reinterpret_cast<const char*>(w[p] + kAhead), _MM_HINT_T0);
            HEARTH_UNROLL for (int k = 0; k < Reader::kStep; ++k) {
                F weights[kVectors];
                HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) {
                    weights[v] = Reader::load(w[v / kParts] + v % kParts * V::kLanes * Reader::kBytes, k);
                }
                HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
                    const F in = V::set(quads[r / 4][r % 4 * stride + k]);
                    HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[r][v] = V::fma(weights[v], in, acc[r][v]);
                }
            }
            HEARTH_UNROLL for (int p = 0; p < kPanels; ++p) w[p] += kPanelRows * Reader::kBytes;
            HEARTH_UNROLL for (int q = 0; q < 3; ++q) quads[q] += Reader::kStep;
        }
        HEARTH_UNROLL for (int r = 0; r < kRows; ++r) { HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) V::store(place(r, v), acc[r][v]); }
    }

    using Registers = void (*)(const std::byte* const*, const float*, int64_t, int64_t, float*, bool);

    /// registers<kPanels, kFirst>, and so on.
    template <int kPanels, int kFirst, int... kRow>
    static constexpr std::array<Registers, sizeof...(kRow)> table(std::integer_sequence<int, kRow...>) {
        return {registers<kPanels, kFirst + kRow>...};
    }

    static constexpr bool kOverlaps = false;
    template <class Meanwhile>
    static void tile(PanelPair pair, const Meanwhile&, const Input& input, int64_t row, int64_t rows, Range k, float* sums, bool first) {
        static constexpr auto kTwo = table<2, 1>(std::make_integer_sequence<int, kPairRows>{});
        static constexpr auto kOne = table<1, kPairRows + 1>(std::make_integer_sequence<int, kRegisterRows - kPairRows>{});
        const std::byte* const panels[2] = {pair.first, pair.second ? pair.second : pair.first};  // one left over is computed twice
        const float* x = input.data + row * input.stride + k.begin;
        const int64_t steps = k.size() / Reader::kStep;
        if constexpr (kOne.size() > 0) {
            if (rows > kPairRows) {
                const Registers one = kOne[static_cast<size_t>(rows - kPairRows - 1)];
                one(panels, x, input.stride, steps, sums, first);
                if (pair.second) one(panels + 1, x, input.stride, steps, sums + kMaxRows * kPanelRows, first);
                return;
            }
        }
        kTwo[static_cast<size_t>(rows - 1)](panels, x, input.stride, steps, sums, first);
    }
};

static inline bool is_float(WeightFormat format) {
    return format == WeightFormat::kF32 || format == WeightFormat::kF16 || format == WeightFormat::kBf16;
}

/// f(the tile for a format of floats).
template <class V, int kRegisterRows, int64_t kBlockRows, class F>
auto with_format(WeightFormat format, F&& f) {
    switch (format) {
        case WeightFormat::kF16: return f(FmaTile<V, WeightFormat::kF16, kRegisterRows, kBlockRows>{});
        case WeightFormat::kBf16: return f(FmaTile<V, WeightFormat::kBf16, kRegisterRows, kBlockRows>{});
        default: return f(FmaTile<V, WeightFormat::kF32, kRegisterRows, kBlockRows>{});
    }
}

}  // namespace hearth::cpu
