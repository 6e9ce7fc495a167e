// How a tensor core sums: exact products and the accumulator are shifted to the largest exponent among them, bits that fall off below are
// dropped, the sum is exact, and its conversion to float32 drops bits too. So it equals no chain of fused multiply-adds.
//
// Fasi, Higham, Mikaitis, Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer Science 7:e330, 2021: products are exact,
// alignment and result truncate, partial sums are not normalised; Khattak, Mikaitis, "Accurate models of NVIDIA tensor cores",
// arXiv:2512.07004, 2025, has widths by generation. Taken here: blocks of kBlock = 8 products (A100), kFraction = 24 bits below the unit of
// the largest term (23 of float32 and one more). The widths differ between generations, and these have not been compared with hardware.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace hearth::simt {

constexpr int kAlignBlock = 8, kAlignFraction = 24;

/// sign * significand * 2^(exponent - fraction of the type); a product's significand has up to 22 bits.
struct Term {
    int32_t significand;  // with its sign
    int32_t exponent;     // of the unit of significand: value = significand * 2^exponent
};

inline Term term_of(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const int exponent = static_cast<int>(bits >> 23 & 255);
    const auto fraction = static_cast<int32_t>(bits & 0x7fffff);
    const int32_t significand = exponent == 0 ? fraction : fraction | 0x800000;
    return {bits >> 31 ? -significand : significand, std::max(exponent, 1) - 127 - 23};
}

/// The float nearest to zero of sum * 2^unit.
inline float truncate_to_float(int64_t sum, int unit) {
    if (sum == 0) return 0.0f;
    const bool negative = sum < 0;
    uint64_t magnitude = negative ? static_cast<uint64_t>(-sum) : static_cast<uint64_t>(sum);
    const int drop = std::max(64 - std::countl_zero(magnitude) - 24, -149 - unit);
    if (drop > 0) {
        magnitude = drop > 63 ? 0 : magnitude >> drop;
        unit += drop;
    }
    const float value = std::ldexp(static_cast<float>(magnitude), unit);
    return negative ? -value : value;
}

/// c plus the products a[i] * b[i] of one block. `top` is the exponent of a significand's leading bit above its unit: 7 for bf16 (8 bits),
/// 10 for f16, 3 for e4m3; a product of two has it at 2 top, or one above.
inline float align_sum(const Term* a, const Term* b, int count, int top, float c) {
    const Term start = term_of(c);
    int largest = start.significand != 0 ? start.exponent + 23 : -1000;
    for (int i = 0; i < count; ++i) {
        if (a[i].significand != 0 && b[i].significand != 0) largest = std::max(largest, a[i].exponent + b[i].exponent + 2 * top);
    }
    if (largest == -1000) return c;
    const int unit = largest - kAlignFraction;  // of the sum
    auto align = [unit](int64_t significand, int exponent) {
        const int shift = exponent - unit;
        if (shift >= 0) return significand << shift;
        if (shift < -62) return int64_t{0};
        return significand < 0 ? -(-significand >> -shift) : significand >> -shift;
    };
    int64_t sum = align(start.significand, start.exponent);
    for (int i = 0; i < count; ++i) {
        const int64_t product = static_cast<int64_t>(a[i].significand) * b[i].significand;
        if (product != 0) sum += align(product, a[i].exponent + b[i].exponent);
    }
    return truncate_to_float(sum, unit);
}

}  // namespace hearth::simt
