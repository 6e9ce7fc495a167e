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
#include <cstdint>

namespace hearth::simt {

constexpr int kAlignBlock = 8, kAlignFraction = 24;

/// significand (with its sign) * 2^exponent. Of zero the exponent is so low that it decides nothing.
struct Term {
    int32_t significand;
    int32_t exponent;
};

constexpr int kNoExponent = -1000;

inline Term term_of(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const int exponent = static_cast<int>(bits >> 23 & 255);
    const auto fraction = static_cast<int32_t>(bits & 0x7fffff);
    const int32_t significand = exponent == 0 ? fraction : fraction | 0x800000;
    return {bits >> 31 ? -significand : significand, significand == 0 ? kNoExponent : std::max(exponent, 1) - 127 - 23};
}

/// sum * 2^unit as the float32 next to it towards zero.
inline float truncate_to_float(int32_t sum, int unit) {
    if (sum == 0) return 0.0f;
    uint32_t magnitude = sum < 0 ? static_cast<uint32_t>(-sum) : static_cast<uint32_t>(sum);
    const int leading = 31 - std::countl_zero(magnitude), exponent = leading + unit;
    const uint32_t sign = sum < 0 ? 0x80000000u : 0;
    if (exponent > 127) return std::bit_cast<float>(sign | 0x7f800000u);
    if (exponent < -126) {  // subnormal: units of 2^-149
        const int up = unit + 149;
        magnitude = up >= 0 ? magnitude << up : up > -32 ? magnitude >> -up : 0;
        return std::bit_cast<float>(sign | magnitude);
    }
    magnitude = leading > 23 ? magnitude >> (leading - 23) : magnitude << (23 - leading);
    return std::bit_cast<float>(sign | static_cast<uint32_t>(exponent + 127) << 23 | (magnitude & 0x7fffff));
}

/// c plus the kAlignBlock products a[i] * b[i]. A significand has `top` bits below its leading one: 7 for bf16, 10 for f16, 3 for e4m3; the
/// exponent that a product takes part with is the sum of its factors', as if it were not carried.
inline float align_sum(const Term* a, const Term* b, int top, float c) {
    const Term start = term_of(c);
    int products[kAlignBlock], exponents[kAlignBlock];
    int largest = start.exponent + 23;
    for (int i = 0; i < kAlignBlock; ++i) {
        products[i] = a[i].significand * b[i].significand;  // below 2^22
        exponents[i] = a[i].exponent + b[i].exponent + 2 * top;
        largest = std::max(largest, exponents[i]);
    }
    auto align = [largest](int32_t significand, int fraction, int exponent) {  // magnitudes are shifted: towards zero
        const int32_t sign = significand >> 31;
        const auto magnitude = static_cast<uint32_t>((significand ^ sign) - sign) << (kAlignFraction - fraction);
        return (static_cast<int32_t>(magnitude >> std::min(largest - exponent, 31)) ^ sign) - sign;
    };
    int32_t sum = align(start.significand, 23, start.exponent + 23);  // nine terms below 2^26
    for (int i = 0; i < kAlignBlock; ++i) sum += align(products[i], 2 * top, exponents[i]);
    return truncate_to_float(sum, largest - kAlignFraction);
}

}  // namespace hearth::simt
