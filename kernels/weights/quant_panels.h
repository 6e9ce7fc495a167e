// Quantised weights in panels of 16 outputs.
//
// A block holds 16 outputs times 64 k, two groups of 32, in whole cache lines:
//     codes   q8, f8: two times 512 bytes [8][16][4]: step j, output r, k = 4 j + i of the group; q8 as code + 128, so that it is the
//     unsigned side of
//             vpdpbusd. q4: two times 256 bytes [4][16][4]: the low half of a byte is step j, the high half step j + 4
//     scales  q8, q4: two times 16 f16; f8: two times 16 f32
//     zeros   where the weight has them: two times 16 int8, then 32 bytes of nothing
// Outputs and k past the end have code and scale zero.
#pragma once

#include "base/checked.h"
#include "kernels/weights/weight.h"

namespace hearth {

constexpr int64_t kPanelSteps = kQuantGroup / 4;  // of four k, in a group

constexpr QuantKind quant_kind(WeightFormat format) {
    return format == WeightFormat::kQ8 ? QuantKind::kQ8 : format == WeightFormat::kQ4 ? QuantKind::kQ4 : QuantKind::kF8;
}

constexpr bool is_quantized(WeightFormat format) {
    return format == WeightFormat::kQ8 || format == WeightFormat::kQ4 || format == WeightFormat::kF8;
}

constexpr int64_t group_code_bytes(WeightFormat format) { return format == WeightFormat::kQ4 ? 256 : 512; }
constexpr int64_t group_scale_bytes(WeightFormat format) { return format == WeightFormat::kF8 ? 64 : 32; }

constexpr int64_t kBlockDepth = 64;  // k in a block

constexpr int64_t block_bytes(WeightFormat format, bool has_zeros) {
    return 2 * group_code_bytes(format) + 2 * group_scale_bytes(format) + (has_zeros ? 64 : 0);
}

/// Of one panel.
constexpr int64_t panel_bytes(WeightFormat format, bool has_zeros, int64_t k) {
    return ceil_div(k, kBlockDepth) * block_bytes(format, has_zeros);
}

/// Where group g of a panel has its codes, scales and zero points: bytes from the panel's beginning.
struct GroupPlace {
    int64_t codes, scales, zeros;

    constexpr GroupPlace(WeightFormat format, bool has_zeros, int64_t g) {
        const int64_t block = g / 2 * block_bytes(format, has_zeros), scales_begin = block + 2 * group_code_bytes(format);
        codes = block + g % 2 * group_code_bytes(format);
        scales = scales_begin + g % 2 * group_scale_bytes(format);
        zeros = scales_begin + 2 * group_scale_bytes(format) + g % 2 * 16;
    }
};

/// One row of a quantised weight on its way into panels. Memory of the caller.
struct PanelRow {
    const uint8_t* codes = nullptr;      // code_bytes(kind, k)
    const F16* scales = nullptr;         // [ceil(k / 32)], q8 and q4
    const float* wide_scales = nullptr;  // [ceil(k / 32)], f8
    const int8_t* zeros = nullptr;       // [ceil(k / 32)], or null: all zero
};

/// Writes one panel (all its blocks) from up to 16 rows; rows[r].codes is null past the end of the weight.
void write_panel(const Weight& weight, const PanelRow (&rows)[kPanelRows], std::byte* panel);

/// Row `row` of quantised panels as float32: out[k].
void unpack_quantized_row(const Weight& weight, int64_t row, float* out);

}  // namespace hearth
