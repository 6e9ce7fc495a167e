// Quantises weights by the widest vectors that this machine has.
#pragma once

#include "kernels/weights/quant.h"

namespace hearth {

/// quantize_row, the same bits, by AVX-512 or AVX2 where the machine has them. A RowQuantizer. Any thread.
void quantize_row_fast(QuantKind kind, std::span<const float> w, const float* importance, const QuantRow& out);

}  // namespace hearth
