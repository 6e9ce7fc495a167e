// Numbers of 16 and 8 bits as plain bits, for both compilers. Conversions are exact one way, and round to nearest even the other.
#pragma once

#include <stdint.h>
#include <string.h>

#include "kernels/simt/vector.h"

namespace hearth::simt {

struct bf16 {
    uint16_t bits;
};
struct f16 {
    uint16_t bits;
};
struct e4m3 {  // 1-4-3, bias 7, no infinity, 0x7f and 0xff are NaN (OCP 8-bit floating point, "E4M3")
    uint8_t bits;
};

HEARTH_DEVICE float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
HEARTH_DEVICE uint32_t bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

HEARTH_DEVICE float to_float(bf16 value) { return float_of_bits(uint32_t{value.bits} << 16); }

HEARTH_DEVICE bf16 to_bf16(float value) {
    const uint32_t bits = bits_of_float(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>(bits >> 16 | 0x40)};  // NaN stays NaN
    return {static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1)) >> 16)};
}

/// sign, then `kExponent` and `kMantissa` bits, to float: exact.
template <int kExponent, int kMantissa>
HEARTH_DEVICE float small_to_float(uint32_t bits) {
    const uint32_t sign = bits >> (kExponent + kMantissa) << 31;
    const uint32_t exponent = bits >> kMantissa & ((1u << kExponent) - 1), mantissa = bits & ((1u << kMantissa) - 1);
    constexpr int kBias = (1 << (kExponent - 1)) - 1;
    if (exponent == 0) {  // zero and subnormal
        const float value = static_cast<float>(mantissa) * float_of_bits(static_cast<uint32_t>(127 + 1 - kBias - kMantissa) << 23);
        return float_of_bits(bits_of_float(value) | sign);
    }
    return float_of_bits(sign | static_cast<uint32_t>(static_cast<int>(exponent) - kBias + 127) << 23 | mantissa << (23 - kMantissa));
}

HEARTH_DEVICE float to_float(f16 value) {
    if ((value.bits & 0x7c00) == 0x7c00) {  // infinity and NaN
        return float_of_bits((uint32_t{value.bits} & 0x8000u) << 16 | 0x7f800000u | (uint32_t{value.bits} & 0x3ffu) << 13);
    }
    return small_to_float<5, 10>(value.bits);
}

HEARTH_DEVICE float to_float(e4m3 value) {
    if ((value.bits & 0x7f) == 0x7f) return float_of_bits(0x7fc00000u);
    return small_to_float<4, 3>(value.bits);
}

}  // namespace hearth::simt
