// Matrix fragments: ldmatrix and mma. PTX ISA, "Warp Level Matrix Multiply-Accumulate Instructions": "ldmatrix", "Matrix Fragments for
// mma.m16n8k16 with floating point type", "Matrix Fragments for mma.m16n8k32", "mma".
//
// Fragments are words of registers, so nothing here touches memory but ldmatrix.
#pragma once

#include <cstdint>

#include "kernels/simt/emulator/memory/pointers.h"
#include "kernels/simt/numeric.h"

namespace hearth::simt {

void ldmatrix_words(int count, bool transposed, Region* region, uintptr_t row, uint32_t* words, Where where);

enum class MmaType : uint8_t { kBf16, kF16, kE4m3, kS8 };
void mma_words(MmaType type, void* c, const uint32_t* a, const uint32_t* b, Where where);

/// kCount (1, 2 or 4) matrices of 8 x 8 elements of 16 bits. Lane 8 m + r gives the address of row r of matrix m (16 bytes, aligned; lanes
/// past 8 kCount may give any). Word m of a lane: columns 2 (lane % 4) and + 1 of row lane / 4; with kTransposed of the transposed matrix.
template <int kCount, bool kTransposed = false, class T>
Vec<uint32_t, kCount> ldmatrix(SharedPtr<T> row, Where where = Where::here()) {
    static_assert(kCount == 1 || kCount == 2 || kCount == 4);
    Vec<uint32_t, kCount> words;
    ldmatrix_words(kCount, kTransposed, row.region(), row.address(), words.v, where);
    return words;
}

/// c += a b, with a of 16 x 16 and b of 16 x 8, summed as align_sum.h says. With g = lane / 4 and t = lane % 4:
/// a: words of two k each, (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8); b: (2t, g), (2t + 8, g); c: (g, 2t), (g, 2t + 1), (g + 8,
/// 2t), (g + 8, 2t + 1).
inline void mma_m16n8k16(bf16, Vec<float, 4>& c, const Vec<uint32_t, 4>& a, const Vec<uint32_t, 2>& b, Where where = Where::here()) {
    mma_words(MmaType::kBf16, c.v, a.v, b.v, where);
}
inline void mma_m16n8k16(f16, Vec<float, 4>& c, const Vec<uint32_t, 4>& a, const Vec<uint32_t, 2>& b, Where where = Where::here()) {
    mma_words(MmaType::kF16, c.v, a.v, b.v, where);
}
/// a of 16 x 32, b of 32 x 8, four k a word: a (g, 4t), (g + 8, 4t), (g, 4t + 16), (g + 8, 4t + 16); b (4t, g), (4t + 16, g); c as above.
inline void mma_m16n8k32(e4m3, Vec<float, 4>& c, const Vec<uint32_t, 4>& a, const Vec<uint32_t, 2>& b, Where where = Where::here()) {
    mma_words(MmaType::kE4m3, c.v, a.v, b.v, where);
}
/// Signed bytes, exact sums modulo 2^32.
inline void mma_m16n8k32(int8_t, Vec<int32_t, 4>& c, const Vec<uint32_t, 4>& a, const Vec<uint32_t, 2>& b, Where where = Where::here()) {
    mma_words(MmaType::kS8, c.v, a.v, b.v, where);
}

}  // namespace hearth::simt
