// A run of groups of a quantised panel, unpacked once for many rows of inputs.
#pragma once

#include "kernels/cpu/quant/int_dot.h"
#include "kernels/weights/quant_panels.h"

namespace hearth::cpu {

/// Where a panel and the levels of its codes are.
struct QuantPanel {
    const std::byte* data = nullptr;
    const Levels* levels = nullptr;
};

struct alignas(64) ExpandedGroup {
    uint8_t codes[kPanelSteps][64];  // [step][output][4]: level + offset
    float scales[kPanelRows];
    float bases[kPanelRows];  // -kSumBase * scale, exact
    float zeros[kPanelRows];  // where the weight has them
};

/// Groups [begin, begin + count). Offset: 128 or 0.
template <class V, WeightFormat kFormat, bool kZeros, int kOffset>
void expand_groups(const QuantPanel& panel, int64_t begin, int64_t count, ExpandedGroup* out) {
    using D = IntDot<V>;
    const ByteTable bytes(*panel.levels, kOffset);
    const auto table = D::table(bytes.bytes);
    for (int64_t g = begin; g < begin + count; ++g, ++out) {
        const GroupPlace at(kFormat, kZeros, g);
        const std::byte* codes = panel.data + at.codes;
        constexpr int kVectors = 64 / sizeof(typename D::I), kLoads = static_cast<int>(group_code_bytes(kFormat)) / 64;
        HEARTH_UNROLL for (int load = 0; load < kLoads; ++load) {
            HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) {
                const auto raw = D::load(codes + load * 64 + v * sizeof(typename D::I));
                uint8_t* to = out->codes[load] + v * sizeof raw;
                if constexpr (kFormat == WeightFormat::kQ8) {
                    D::store(to, kOffset == 128 ? raw : D::flip(raw));
                } else {
                    D::store(to, D::look_up(table, D::low(raw)));
                    D::store(to + 4 * 64, D::look_up(table, D::high(raw)));
                }
            }
        }
        for (int64_t i = 0; i < kPanelRows; i += V::kLanes) {
            const auto scales = V::load(reinterpret_cast<const F16*>(panel.data + at.scales) + i);
            V::store(out->scales + i, scales);
            V::store(out->bases + i, V::mul(scales, V::set(-kSumBase)));
            if constexpr (kZeros) V::store(out->zeros + i, D::load_bytes(reinterpret_cast<const int8_t*>(panel.data + at.zeros) + i));
        }
    }
}

}  // namespace hearth::cpu
