#include "kernels/weights/quant_panels.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

namespace hearth {
namespace {

/// Where output r, number i of the group (0 to 31) has its code.
struct CodePlace {
    int64_t byte;
    int shift;
};

CodePlace place_of(WeightFormat format, int64_t r, int64_t i) {
    const int64_t step = i / 4, lane = r * 4 + i % 4;
    if (format != WeightFormat::kQ4) return {step * 64 + lane, 0};
    return {step % 4 * 64 + lane, step < 4 ? 0 : 4};
}

uint8_t code_of(QuantKind kind, const uint8_t* codes, int64_t i) {
    if (kind == QuantKind::kQ4) return codes[i / 2] >> 4 * (i % 2) & 15;
    return kind == QuantKind::kQ8 ? static_cast<uint8_t>(codes[i] ^ 0x80) : codes[i];
}

/// The four codes of step `step` of a whole group, as a panel holds them.
uint32_t word_of(QuantKind kind, const uint8_t* codes, int64_t step) {
    uint32_t word = 0;
    if (kind == QuantKind::kQ4) {  // two bytes of the row and two of four steps on: a number to each half byte
        uint16_t near, far;
        std::memcpy(&near, codes + 2 * step, sizeof near);
        std::memcpy(&far, codes + 2 * (step + 4), sizeof far);
        const auto spread = [](uint32_t x) {
            x = (x | x << 8) & 0x00FF00FF;
            return (x | x << 4) & 0x0F0F0F0F;
        };
        return spread(near) | spread(far) << 4;
    }
    std::memcpy(&word, codes + 4 * step, sizeof word);
    return kind == QuantKind::kQ8 ? word ^ 0x80808080 : word;
}

void write_group(const Weight& weight, const PanelRow& row, int64_t g, int64_t r, std::byte* panel) {
    const QuantKind kind = quant_kind(weight.format);
    const GroupPlace at(weight.format, weight.has_zeros, g);
    const int64_t count = std::min(kQuantGroup, weight.k - g * kQuantGroup);
    const bool whole = count == kQuantGroup;
    for (int64_t step = 0; whole && step < group_code_bytes(weight.format) / 64; ++step) {
        const uint32_t word = word_of(kind, row.codes + code_bytes(kind, g * kQuantGroup), step);
        std::memcpy(panel + at.codes + step * 64 + r * 4, &word, sizeof word);
    }
    for (int64_t i = 0; !whole && i < count; ++i) {
        const CodePlace place = place_of(weight.format, r, i);
        panel[at.codes + place.byte] |= static_cast<std::byte>(code_of(kind, row.codes, g * kQuantGroup + i) << place.shift);
    }
    if (kind == QuantKind::kF8) {
        std::memcpy(panel + at.scales + 4 * r, row.wide_scales + g, 4);
    } else {
        std::memcpy(panel + at.scales + 2 * r, row.scales + g, 2);
    }
    if (weight.has_zeros && row.zeros) std::memcpy(panel + at.zeros + r, row.zeros + g, 1);
}

}  // namespace

void write_panel(const Weight& weight, const PanelRow (&rows)[kPanelRows], std::byte* panel) {
    std::memset(panel, 0, static_cast<size_t>(panel_bytes(weight.format, weight.has_zeros, weight.k)));
    for (int64_t g = 0; g < ceil_div(weight.k, kQuantGroup); ++g) {
        for (int64_t r = 0; r < kPanelRows; ++r) {
            if (rows[r].codes) write_group(weight, rows[r], g, r, panel);
        }
    }
}

void unpack_quantized_row(const Weight& weight, int64_t row, float* out) {
    const int64_t r = row % kPanelRows;
    const auto* panel =
        static_cast<const std::byte*>(weight.data) + row / kPanelRows * panel_bytes(weight.format, weight.has_zeros, weight.k);
    for (int64_t k = 0; k < weight.k; ++k) {
        const GroupPlace at(weight.format, weight.has_zeros, k / kQuantGroup);
        const std::byte* scales = panel + at.scales;
        const CodePlace place = place_of(weight.format, r, k % kQuantGroup);
        const auto code = static_cast<uint8_t>(static_cast<uint8_t>(panel[at.codes + place.byte]) >> place.shift);
        float value;
        if (weight.format == WeightFormat::kF8) {
            value = reinterpret_cast<const float*>(scales)[r] * e4m3_to_float(code);
        } else {
            const int level = weight.format == WeightFormat::kQ8 ? int{code} - 128 : weight.levels[code & 15];
            const int zero = weight.has_zeros ? reinterpret_cast<const int8_t*>(panel + at.zeros)[r] : 0;
            value = to_float(reinterpret_cast<const F16*>(scales)[r]) * static_cast<float>(level - zero);
        }
        out[weight.columns ? weight.columns[k] : k] = value;
    }
}

}  // namespace hearth
