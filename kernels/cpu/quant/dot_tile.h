// The innermost loops of an integer product: one or two panels times some rows of inputs, sums in registers.
//
// A group of 32 k: eight dots an output and row, exact in int32, read as the float kSumBase + sum without converting; where there are zero
// points their share is taken off, exact in float32 (every number is whole and below 2^24). One FMA with the weight's scale takes the base
// off again and rounds sum * scale once, a second adds it times the input's scale: two operations where convert, multiply scales and FMA
// are three. Order of summation: one FMA a group and output, groups rising: the same whatever the instruction set and the number of rows.
// Split inputs have scales that are powers of two, and one rounding, as the tiles that they go with: weight scale * input scale is exact.
#pragma once

#include <array>

#include "kernels/cpu/quant/expand.h"
#include "kernels/cpu/quant/input.h"

namespace hearth::cpu {

/// Reads groups from panels as they lie in memory. kSplit: a row's codes are the sums of two rows of bytes, as in SplitInput.
template <class V, WeightFormat kFormat, bool kZerosOf, bool kSplitOf = false>
struct PanelSource {
    using D = IntDot<V>;
    static constexpr bool kZeros = kZerosOf, kSplit = kSplitOf;
    static constexpr int kUnpacked = kFormat == WeightFormat::kQ4 ? 2 : 1;  // steps in a load
    static constexpr bool kFetchesInputs = false;                           // one tile is all there is
    static constexpr int64_t kAhead = 2048;                                 // 4096 costs q8 4 % once weights lie on huge pages throughout

    const std::byte* data;
    typename D::I table;
    GroupPlace at{kFormat, kZeros, 0};

    HEARTH_INLINE void begin(const QuantPanel& panel) {
        data = panel.data;
        const ByteTable bytes(*panel.levels, D::kOffset);
        if constexpr (kFormat == WeightFormat::kQ4) table = D::table(bytes.bytes);
    }
    HEARTH_INLINE void seek(int64_t g) {
        at = GroupPlace(kFormat, kZeros, g);
        fetch(data + at.scales);
    }
    /// Vector `part` of steps `load` and, of q4, load + 4.
    HEARTH_INLINE void weights(int load, int part, typename D::Weights (&out)[kUnpacked]) const {
        const std::byte* p = data + at.codes + load * 64 + part * static_cast<int>(sizeof(typename D::I));
        if (part == 0) fetch(p);
        const auto raw = D::load(p);
        if constexpr (kFormat == WeightFormat::kQ8) {
            out[0] = D::prepare(D::from_q8(raw));
        } else {
            out[0] = D::prepare(D::look_up(table, D::low(raw)));
            out[1] = D::prepare(D::look_up(table, D::high(raw)));
        }
    }
    HEARTH_INLINE typename V::F scales(int i) const { return V::load(reinterpret_cast<const F16*>(data + at.scales) + i); }
    HEARTH_INLINE typename V::F bases(int i) const { return V::mul(scales(i), V::set(-kSumBase)); }
    HEARTH_INLINE typename V::F zeros(int i) const { return D::load_bytes(reinterpret_cast<const int8_t*>(data + at.zeros) + i); }

private:
    static HEARTH_INLINE void fetch(const std::byte* p) { _mm_prefetch(reinterpret_cast<const char*>(p + kAhead), _MM_HINT_T0); }
};

/// Reads groups that were expanded.
template <class V, bool kZerosOf>
struct ExpandedSource {
    using D = IntDot<V>;
    static constexpr bool kZeros = kZerosOf, kSplit = false;
    static constexpr int kUnpacked = 1;
    static constexpr bool kFetchesInputs = true;

    const ExpandedGroup* groups;
    const ExpandedGroup* group = nullptr;

    HEARTH_INLINE void begin(const ExpandedGroup* first) { groups = first; }
    HEARTH_INLINE void seek(int64_t g) { group = groups + g; }
    HEARTH_INLINE void weights(int load, int part, typename D::Weights (&out)[1]) const {
        out[0] = D::prepare(D::load(group->codes[load] + part * static_cast<int>(sizeof(typename D::I))));
    }
    HEARTH_INLINE typename V::F scales(int i) const { return V::load(group->scales + i); }
    HEARTH_INLINE typename V::F bases(int i) const { return V::load(group->bases + i); }
    HEARTH_INLINE typename V::F zeros(int i) const { return V::load(group->zeros + i); }
};

/// Rows of inputs from `row` on, groups from `group` on.
struct InputPart {
    const QuantInput* input = nullptr;
    int64_t row = 0, group = 0;
};

/// Adds a group's sum of products for the outputs from `i` of a panel on, times both scales, to acc. `factor`: where those of the inputs
/// lie.
template <class V, class Source>
HEARTH_INLINE void add_group(const Source& source, int i, typename IntDot<V>::I sum, const QuantInput& input, int64_t factor,
                             typename V::F& acc) {
    using D = IntDot<V>;
    auto whole = Source::kSplit ? D::to_float(sum) : D::as_float(sum);
    if constexpr (Source::kZeros) whole = V::fnma(source.zeros(i), V::set(input.sums[factor]), whole);
    const auto scale = source.scales(i), in = V::set(input.scales[factor]);
    if constexpr (Source::kSplit) {
        acc = V::fma(whole, V::mul(scale, in), acc);
    } else {
        acc = V::fma(V::fma(whole, scale, source.bases(i)), in, acc);
    }
}

/// sums[panel][kStride rows][16] = (first ? 0 : sums) + product over `groups` groups.
template <class V, class Source, int kPanels, int kRows, int64_t kStride, class Panel>
HEARTH_NO_SANITIZE void dot_registers(const Panel* panels, const InputPart& part, int64_t groups, float* sums, bool first) {
    using D = IntDot<V>;
    using F = typename V::F;
    constexpr int kParts = static_cast<int>(kPanelRows) / V::kLanes, kVectors = kPanels * kParts;  // of outputs: of a panel, of all
    constexpr int kLoads = static_cast<int>(kPanelSteps) / Source::kUnpacked, kHalves = Source::kSplit ? 2 : 1;
    const QuantInput& input = *part.input;
    const auto place = [&](int r, int v) HEARTH_INLINED { return sums + (v / kParts * kStride + r) * kPanelRows + v % kParts * V::kLanes; };
    F acc[kRows][kVectors];
    HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
        HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[r][v] = first ? V::zero() : V::load(place(r, v));
    }
    Source sources[kPanels];
    HEARTH_UNROLL for (int p = 0; p < kPanels; ++p) sources[p].begin(panels[p]);
    const int8_t* x = input.codes + part.row * input.stride + part.group * kQuantGroup;
    const int8_t* quads[2] = {x, x + 4 * input.stride};
    const int64_t rest = input.rows * input.stride;  // where the second bytes are, if there are any
    int64_t factor = part.group * input.pitch + part.row;
    for (int64_t g = 0; g < groups; ++g, factor += input.pitch) {
        typename D::I sum[kRows][kVectors];
        HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
            HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) {
                sum[r][v] = D::set(D::kOffset == 0 ? kSumBaseBits : input.starts[factor + r]);
            }
        }
        HEARTH_UNROLL for (int p = 0; p < kPanels; ++p) sources[p].seek(g);
        HEARTH_UNROLL for (int load = 0; load < kLoads; ++load) {
            typename D::Weights w[kVectors][Source::kUnpacked];
            HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) sources[v / kParts].weights(load, v % kParts, w[v]);
            HEARTH_UNROLL for (int u = 0; u < Source::kUnpacked; ++u) {
                HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
                    const int8_t* from = quads[r / 4] + r % 4 * input.stride + 4 * (load + u * kLoads);
                    HEARTH_UNROLL for (int half = 0; half < kHalves; ++half) {
                        const auto in = broadcast_four<V>(from + half * rest);
                        HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = D::dot(sum[r][v], w[v][u], in);
                    }
                }
            }
        }
        HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) {
            HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
                add_group<V>(sources[v / kParts], v % kParts * V::kLanes, sum[r][v], input, factor + r, acc[r][v]);
            }
        }
        if constexpr (Source::kFetchesInputs) {
            if (g % 2 == 0) fetch_rows<kRows>(quads[0] + kRows * input.stride, input.stride);
        }
        quads[0] += kQuantGroup;
        quads[1] += kQuantGroup;
    }
    HEARTH_UNROLL for (int r = 0; r < kRows; ++r) { HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) V::store(place(r, v), acc[r][v]); }
}

/// dot_registers for 1 to kMost rows.
template <class V, class Source, int kPanels, int kMost, int64_t kStride, class Panel>
void dot_rows(const Panel* panels, const InputPart& part, int64_t rows, int64_t groups, float* sums, bool first) {
    using Function = void (*)(const Panel*, const InputPart&, int64_t, float*, bool);
    static constexpr auto kFunctions = []<int... kRow>(std::integer_sequence<int, kRow...>) {
        return std::array<Function, sizeof...(kRow)>{dot_registers<V, Source, kPanels, kRow + 1, kStride, Panel>...};
    }
    (std::make_integer_sequence<int, kMost>{});
    kFunctions[static_cast<size_t>(rows - 1)](panels, part, groups, sums, first);
}

}  // namespace hearth::cpu
