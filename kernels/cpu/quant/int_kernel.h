// The Kernel (driver.h) of integer products on vectors.
#pragma once

#include "kernels/cpu/quant/dot_tile.h"
#include "kernels/cpu/quant/driver.h"

namespace hearth::cpu {

/// Quantised rows of x.
template <class V>
struct IntInput : QuantInput {
    static QuantInput shape_of(const MatmulArgs& a) { return shape(a.x.extent[0], a.w.k); }
    static size_t bytes_of(const MatmulArgs& a) { return shape_of(a).bytes(); }
    static int64_t row_bytes(const MatmulArgs& a) { return shape_of(a).stride; }
    static int64_t rows_to_pack(const MatmulArgs& a) { return shape_of(a).rows; }
    static IntInput make(const MatmulArgs& a, Scratch& scratch) {
        IntInput input{shape_of(a)};
        input.take(scratch);
        return input;
    }
    void pack(const MatmulArgs& a, const int32_t* columns, Range range) const {
        quantize_input<V>(a.x, columns, a.w.k, a.w.has_zeros, *this, range);
    }
};

/// Both panels times the same rows, from `row` and `group` on: at once where they read the same inputs. sums[2][kStride][16].
template <class V, class Source, int kMost, int64_t kStride, class Panel, class Inputs>
void panels_times(const Panel (&panels)[2], bool both, const Inputs& inputs, int64_t row, int64_t group, int64_t rows, int64_t groups,
                  float* sums, bool first) {
    inputs.for_panels(both, [&](auto count, int p, const auto& input) HEARTH_INLINED {
        const InputPart part{&input, row, group};
        dot_rows<V, Source, count, kMost, kStride>(panels + p, part, rows, groups, sums + p * kStride * kPanelRows, first);
    });
}

/// kPairRows: rows whose sums with two panels fit the registers; kFew: the same where codes are unpacked in registers.
template <class V, WeightFormat kFormat, bool kZeros, int kPairRows, int kFew, int64_t kBlockRows>
struct IntKernel : KernelShape<kFormat, kZeros, kPairRows, kFew, kBlockRows, 512> {
    using Input = IntInput<V>;
    using Inputs = PairInput<Input>;
    struct Block {
        ExpandedGroup groups[IntKernel::kExpandedDepth / kQuantGroup];
    };

    static void few(const QuantPanel (&panels)[2], const Inputs& inputs, int64_t rows, int64_t groups, float* sums) {
        panels_times<V, PanelSource<V, kFormat, kZeros>, kFew, kPairRows>(panels, panels[1].data != nullptr, inputs, 0, 0, rows, groups,
                                                                          sums, true);
    }
    static void expand(const QuantPanel& panel, int64_t group, int64_t groups, Block& block) {
        expand_groups<V, kFormat, kZeros, IntDot<V>::kOffset>(panel, group, groups, block.groups);
    }
    static void tile(const Block* const (&blocks)[2], const Inputs& inputs, int64_t row, int64_t rows, int64_t group, int64_t groups,
                     float* sums, bool first) {
        const ExpandedGroup* const panels[2] = {blocks[0]->groups, blocks[1] ? blocks[1]->groups : nullptr};
        panels_times<V, ExpandedSource<V, kZeros>, kPairRows, kPairRows>(panels, blocks[1] != nullptr, inputs, row, group, rows, groups,
                                                                         sums, first);
    }
};

/// f(Kernel) for the format of `a`.
template <template <WeightFormat, bool> class Kernel, class F>
HEARTH_INLINE auto with_int_kernel(const MatmulArgs& a, F&& f) {
    if (a.w.format == WeightFormat::kQ8)
        return a.w.has_zeros ? f(Kernel<WeightFormat::kQ8, true>{}) : f(Kernel<WeightFormat::kQ8, false>{});
    return a.w.has_zeros ? f(Kernel<WeightFormat::kQ4, true>{}) : f(Kernel<WeightFormat::kQ4, false>{});
}

}  // namespace hearth::cpu
