// Rows of the embedding table as float32.
//
// Traffic: one row of the table a token. A table that is also the head's packed weight is read number by number: a token's row lies there
// in as many cache lines as it has pairs.
#pragma once

#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/simd.h"
#include "kernels/ops.h"
#include "kernels/select.h"

namespace hearth::cpu {

template <class V, class T>
void widen_row(const T* x, int64_t k, float* y) {
    int64_t i = 0;
    for (; i + V::kLanes <= k; i += V::kLanes) V::store(y + i, V::load(x + i));
    if (i < k) V::store(y + i, V::load(x + i, k - i), k - i);
}

template <class V>
void embed_row(const Weight& table, int64_t id, float* y) {
    if (table.layout != WeightLayout::kRows) return unpack_row(table, id, y);
    const int64_t at = id * table.k;
    switch (table.format) {
        case WeightFormat::kF32: return widen_row<V>(static_cast<const float*>(table.data) + at, table.k, y);
        case WeightFormat::kF16: return widen_row<V>(static_cast<const F16*>(table.data) + at, table.k, y);
        case WeightFormat::kBf16: return widen_row<V>(static_cast<const Bf16*>(table.data) + at, table.k, y);
        default: return unpack_row(table, id, y);
    }
}

template <class V>
void run_embed(const EmbedArgs& a, Stream& stream) noexcept {
    share(stream, a.ids.extent[0], a.y.size() / 2, [&](Range rows) {
        for (int64_t t = rows.begin; t < rows.end; ++t) embed_row<V>(a.table, a.ids.data[t], a.y.row(t));
    });
}

static inline bool embed_fits(const EmbedArgs& a) { return a.y.stride[1] == 1 && a.ids.stride[0] == 1; }

}  // namespace hearth::cpu
