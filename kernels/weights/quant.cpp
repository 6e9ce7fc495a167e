#include "kernels/weights/quant.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"

namespace hearth {
namespace {

/// Scale and codes of one group.
struct Group {
    float scale = 0;
    std::array<int8_t, kQuantGroup> code{};
};

/// The code whose level lies nearest to u, the lower one of two as near.
int8_t nearest_code(const Levels& levels, float u) {
    int code = 0;
    while (code < 15 && u > 0.5f * static_cast<float>(levels[static_cast<size_t>(code)] + levels[static_cast<size_t>(code) + 1])) ++code;
    return static_cast<int8_t>(code);
}

void choose_codes(QuantKind kind, std::span<const float> w, float scale, Group& group) {
    const float inverse = scale == 0 ? 0 : 1 / scale;
    for (size_t i = 0; i < w.size(); ++i) {
        const float u = w[i] * inverse;
        group.code[i] =
            kind == QuantKind::kQ8 ? static_cast<int8_t>(std::clamp(std::nearbyint(u), -127.0f, 127.0f)) : nearest_code(kNormalLevels, u);
    }
}

/// How far some codes can go: with the scale wl / ll they leave the sum of w^2 less wl^2 / ll.
struct Fit {
    float wl = 0, ll = 0;  // sums of w * level and of level^2, each number by its importance

    float gain() const { return ll > 0 ? wl * wl / ll : 0; }
    float scale() const { return ll > 0 ? wl / ll : 0; }
};

Fit fit_of(std::span<const float> w, const float* importance, const Group& group) {
    Fit fit;
    for (size_t i = 0; i < w.size(); ++i) {
        const float level = static_cast<float>(kNormalLevels[static_cast<size_t>(group.code[i])]), weight = importance ? importance[i] : 1;
        fit.wl += weight * w[i] * level;
        fit.ll += weight * level * level;
    }
    return fit;
}

float rounded(float scale) { return to_float(to_f16(scale)); }

Group quantize_group(QuantKind kind, std::span<const float> w, const float* importance) {
    const float extreme = *std::ranges::max_element(w, {}, [](float x) { return std::abs(x); });
    Group best;
    if (extreme == 0 || !std::isfinite(extreme)) {
        choose_codes(kind, w, 0, best);
        return best;
    }
    if (kind == QuantKind::kQ8) {  // the number farthest out decides: a search gains less than a thousandth of the error
        best.scale = rounded(extreme / 127);
        choose_codes(kind, w, best.scale, best);
        return best;
    }
    // The table is not symmetric: the number farthest out may stand at either end of it, or a little beyond.
    Fit fit;
    for (const int8_t end : {kNormalLevels.front(), kNormalLevels.back()}) {
        for (const float stretch : kStretches) {
            choose_codes(kind, w, stretch * extreme / static_cast<float>(end), best);
            const Fit tried = fit_of(w, importance, best);
            if (tried.gain() > fit.gain()) fit = tried;
        }
    }
    choose_codes(kind, w, rounded(fit.scale()), best);  // once more: other codes may lie nearer now
    best.scale = rounded(fit_of(w, importance, best).scale());
    choose_codes(kind, w, best.scale, best);
    return best;
}

}  // namespace

F16 to_f16(float x) {
    const auto u = std::bit_cast<uint32_t>(x);
    const auto sign = static_cast<uint16_t>(u >> 16 & 0x8000);
    const float size = std::abs(x);
    if (std::isnan(x)) return {static_cast<uint16_t>(sign | 0x7E00)};
    if (size >= 65520.0f) return {static_cast<uint16_t>(sign | 0x7C00)};
    if (size < 0x1p-14f) return {static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(size * 0x1p24f)))};  // steps of 2^-24
    const uint32_t magnitude = u & 0x7FFFFFFF, rounding = 0xFFF + (magnitude >> 13 & 1);
    return {static_cast<uint16_t>(sign | (((magnitude + rounding) >> 13) - (112u << 10)))};
}

void quantize_row(QuantKind kind, std::span<const float> w, const float* importance, const QuantRow& out) {
    std::ranges::fill(out.codes, uint8_t{0});
    const auto groups = ceil_div(std::ssize(w), kQuantGroup);
    for (int64_t g = 0; g < groups; ++g) {
        const auto begin = static_cast<size_t>(g * kQuantGroup), size = std::min<size_t>(kQuantGroup, w.size() - begin);
        const Group group = quantize_group(kind, w.subspan(begin, size), importance ? importance + begin : nullptr);
        out.scales[static_cast<size_t>(g)] = to_f16(group.scale);
        for (size_t i = 0; i < size; ++i) {
            const auto code = static_cast<uint8_t>(group.code[i]);
            if (kind == QuantKind::kQ8) {
                out.codes[begin + i] = code;
            } else {
                out.codes[(begin + i) / 2] |= static_cast<uint8_t>(code << 4 * (i % 2));
            }
        }
    }
}

float e4m3_to_float(uint8_t code) {
    const int exponent = code >> 3 & 15, mantissa = code & 7;
    const float size = exponent == 15 && mantissa == 7 ? NAN
                       : exponent == 0                 ? static_cast<float>(mantissa) * 0x1p-9f
                                                       : std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
    return code & 0x80 ? -size : size;
}

void dequantize_row(const QuantRows& rows, int64_t row, int64_t k, float* out) {
    const int64_t groups = ceil_div(k, kQuantGroup);
    const uint8_t* codes = rows.codes + row * code_bytes(rows.kind, k);
    for (int64_t i = 0; i < k; ++i) {
        const int64_t g = row * groups + i / kQuantGroup;
        float& value = out[rows.columns ? rows.columns[i] : i];
        if (rows.kind == QuantKind::kF8) {
            value = rows.wide_scales[g] * e4m3_to_float(codes[i]);
            continue;
        }
        const int level = rows.kind == QuantKind::kQ8 ? static_cast<int8_t>(codes[i]) : rows.levels[codes[i / 2] >> 4 * (i % 2) & 15];
        const int zero = rows.zeros ? rows.zeros[g] : 0;
        value = to_float(rows.scales[g]) * static_cast<float>(level - zero);
    }
}

}  // namespace hearth
