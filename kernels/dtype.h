// The element types of tensors, and conversion of single values.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace hearth {

enum class DType : uint8_t { kF32, kBf16, kF16, kF8E4M3, kI8, kU8, kI32, kI64 };

constexpr int64_t bytes_of(DType type) {
    switch (type) {
        case DType::kF32:
        case DType::kI32: return 4;
        case DType::kBf16:
        case DType::kF16: return 2;
        case DType::kF8E4M3:
        case DType::kI8:
        case DType::kU8: return 1;
        case DType::kI64: return 8;
    }
    return 0;
}

constexpr std::string_view name_of(DType type) {
    switch (type) {
        case DType::kF32: return "f32";
        case DType::kBf16: return "bf16";
        case DType::kF16: return "f16";
        case DType::kF8E4M3: return "f8_e4m3";
        case DType::kI8: return "i8";
        case DType::kU8: return "u8";
        case DType::kI32: return "i32";
        case DType::kI64: return "i64";
    }
    return "?";
}

/// The bits of a bfloat16: the upper half of a float.
struct Bf16 {
    uint16_t bits = 0;
};

/// The bits of an IEEE 754 binary16.
struct F16 {
    uint16_t bits = 0;
};

inline float to_float(float x) { return x; }
inline float to_float(Bf16 x) { return std::bit_cast<float>(static_cast<uint32_t>(x.bits) << 16); }

inline float to_float(F16 x) {
    const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000) << 16, exponent = x.bits >> 10 & 31, mantissa = x.bits & 1023;
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | mantissa << 13);
    if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
    const float tiny = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -tiny : tiny;
}

/// Rounds to nearest even, as the instructions do; NaN stays NaN.
inline Bf16 to_bf16(float x) {
    const auto u = std::bit_cast<uint32_t>(x);
    if ((u & 0x7FFFFFFF) > 0x7F800000) return {static_cast<uint16_t>(u >> 16 | 0x40)};
    return {static_cast<uint16_t>((u + 0x7FFF + (u >> 16 & 1)) >> 16)};
}

/// A plain row-major tensor of one of the float types, as it lies in a checkpoint: element i as float32.
inline float load_float(const void* data, DType type, int64_t i) {
    switch (type) {
        case DType::kBf16: return to_float(static_cast<const Bf16*>(data)[i]);
        case DType::kF16: return to_float(static_cast<const F16*>(data)[i]);
        default: return static_cast<const float*>(data)[i];
    }
}

}  // namespace hearth
