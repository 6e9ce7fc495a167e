// Weights to q8 and q4 with vectors: for kernels/host/fast_quantize.cpp; kernels/weights/quant.h says what they must come to.
#pragma once

#include <cstdint>

#include "kernels/weights/quant.h"

namespace hearth::cpu {

/// Quantises up to `lanes` whole groups, one a lane of a vector, each step as quantize_row does it: the same bits. importance
/// [groups * 32] or null, codes code_bytes(kind, groups * 32), scales [groups]. False: a group is zero, or holds what is no number; nothing
/// was written.
struct GroupQuantizer {
    int64_t lanes = 0;
    bool (*run)(QuantKind kind, const float* w, int64_t groups, const float* importance, uint8_t* codes, F16* scales) noexcept = nullptr;
};

extern const GroupQuantizer kGroupQuantizerAvx512;  // quantize_rows_avx512.cpp
extern const GroupQuantizer kGroupQuantizerAvx2;    // quantize_rows_avx2.cpp

}  // namespace hearth::cpu
