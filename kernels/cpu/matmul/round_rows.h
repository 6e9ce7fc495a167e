// Inputs rounded to bf16, for units that multiply bf16.
#pragma once

#include <array>

#include "kernels/cpu/simd.h"

namespace hearth::cpu {

/// Rows of bf16, k padded with zeros.
struct RoundedRows {
    uint16_t* data = nullptr;  // [T, stride], or as the tile says
    int64_t stride = 0;
};

/// out[i] = bf16 of x[i] for i < k, 0 for i in [k, size).
static inline void round_row(const float* x, int64_t k, int64_t size, uint16_t* out) {
    auto* bf16 = reinterpret_cast<Bf16*>(out);
    int64_t i = 0;
    for (; i + Vec::kLanes <= k; i += Vec::kLanes) Vec::store(bf16 + i, Vec::load(x + i));
    for (; i < size; i += Vec::kLanes) Vec::store(bf16 + i, i < k ? Vec::load(x + i, k - i) : Vec::zero(), size - i);
}

}  // namespace hearth::cpu
