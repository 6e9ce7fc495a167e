// Quantised weights: what their numbers mean, how a row of float32 becomes one, how one becomes float32 again.
//
// Along K every row is cut into groups of 32. A group has one f16 scale and, where a checkpoint's format has them, one zero point:
//     w[i] = scale * (level(code[i]) - zero)
// q8: level(code) = code, an int8 (8.5 bits a weight). q4: a 4-bit code into a table of 16 int8 levels (4.5 bits). Formats of others (GPTQ,
// AWQ, compressed- tensors) are the same with other levels, larger groups (their scale repeated), zero points and a permutation of K. f8:
// level(code) is the float8 e4m3 number of the code (OCP "8-bit floating point specification", 2023: no infinities, 0x7F and 0xFF not a
// number), with a float32 scale a group; only ever read, never made here.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "kernels/dtype.h"

namespace hearth {

constexpr int64_t kQuantGroup = 32;  // numbers along K that share a scale

/// The levels of a 4-bit code.
using Levels = std::array<int8_t, 16>;

/// Levels of least squared error for normally distributed weights whose groups of 32 have the best scale each: Lloyd's iteration (Lloyd,
/// "Least squares quantization in PCM", 1982) with scales fitted in every round. Mean squared error 0.00533 of the variance; 16 even levels
/// reach 0.00657.
constexpr Levels kNormalLevels = {-127, -101, -79, -62, -47, -34, -21, -9, 2, 13, 25, 36, 49, 64, 83, 107};

/// Where the search for a q4 scale begins: so many times the number farthest out stands at either end of the table. With two refits these
/// reach 0.00532 of the squares of normal numbers; 0.85, 0.95, 1.05 in four fifths of the time 0.00539.
constexpr float kStretches[] = {0.95f, 1.0f, 1.05f, 1.2f};

/// -8 to 7: 4-bit integers with their middle at 8.
constexpr Levels kLinearLevels = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};

enum class QuantKind : uint8_t { kQ8, kQ4, kF8 };

constexpr int64_t code_bytes(QuantKind kind, int64_t count) { return kind == QuantKind::kQ4 ? (count + 1) / 2 : count; }

/// A quantised [n, k] matrix in row order, as it lies on disk or in a loader's hands. Borrowed memory.
struct QuantRows {
    QuantKind kind = QuantKind::kQ8;
    const uint8_t* codes = nullptr;      // [n, code_bytes(k)]: int8 for q8; for q4 two a byte, the even column in the low half
    const F16* scales = nullptr;         // [n, ceil(k / 32)], of q8 and q4
    const float* wide_scales = nullptr;  // [n, ceil(k / 32)], of f8
    const int8_t* zeros = nullptr;       // [n, ceil(k / 32)], or null: zero everywhere
    const int32_t* columns = nullptr;    // [k]: stored column i multiplies input columns[i]; or null: in order
    Levels levels = kNormalLevels;       // of q4
};

/// One row's codes and scales, to be written.
struct QuantRow {
    std::span<uint8_t> codes;  // code_bytes(kind, k)
    std::span<F16> scales;     // ceil(k / 32)
};

/// Quantises one row to q8 or q4. Scales are those of least squared error, each number weighted by importance[i] (a column's mean squared
/// input, say) where given; rounded to f16 before the codes are chosen. Number by number: what every faster way
/// (kernels/host/fast_quantize.h) must come to, bit for bit.
void quantize_row(QuantKind kind, std::span<const float> w, const float* importance, const QuantRow& out);

/// quantize_row, or a faster way to the same.
using RowQuantizer = void (*)(QuantKind kind, std::span<const float> w, const float* importance, const QuantRow& out);

/// Row `row` as float32 in the order of the inputs: out[k].
void dequantize_row(const QuantRows& rows, int64_t row, int64_t k, float* out);

/// Rounds to nearest even.
F16 to_f16(float x);

/// The number of an e4m3 code.
float e4m3_to_float(uint8_t code);

}  // namespace hearth
