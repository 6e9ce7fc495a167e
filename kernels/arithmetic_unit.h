// Which arithmetic unit a variant multiplies with: the peak that its speed is a share of.
#pragma once

#include <string_view>

#include "kernels/limits.h"

namespace hearth {

enum class Unit { kNone, kF32Fma, kBf16Dot, kInt8Dot, kAmxBf16, kAmxInt8 };

/// Of a variant by its name, as "matmul/q_amx" or "attention/avx512": what stands before the instruction set says what is multiplied, "q"
/// int8, "bf16" bf16, anything else float32. kNone for a variant with no measured unit: integers without VNNI, the reference, stages made
/// of primitives.
Unit unit_of(std::string_view variant);

/// "AMX int8", "f32 FMA"; "" for kNone.
std::string_view name_of(Unit unit);

/// 10^9 operations a second; 0: not measured, or the machine has no such unit.
double peak_of(const Limits& limits, Unit unit);

}  // namespace hearth
