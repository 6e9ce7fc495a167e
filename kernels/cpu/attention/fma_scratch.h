// What a thread needs for attention by FMA, and the states that chunks of keys leave.
#pragma once

#include "kernels/cpu/attention/few_rows.h"
#include "kernels/cpu/attention/many_rows.h"
#include "kernels/scratch.h"

namespace hearth::cpu {

constexpr int64_t kFmaRows = 192;  // of a unit

/// Adds the state `from`, over later keys, to `to`: vectors of largest scores and sums; what both values are to be multiplied by is left in
/// keep and add.
template <class V>
HEARTH_INLINE void merge_softmax(const float* from, float* to, typename V::F& keep, typename V::F& add) {
    const auto mine = V::load(to), theirs = V::load(from), top = V::max(mine, theirs), shift = shift_of<V>(top);
    keep = exp2<V>(V::sub(mine, shift));
    add = exp2<V>(V::sub(theirs, shift));
    V::store(to, top);
    V::store(to + V::kLanes, V::fma(V::load(from + V::kLanes), add, V::mul(V::load(to + V::kLanes), keep)));
}

/// The scratch of one thread.
template <class V, class T>
struct FmaScratch {
    using Few = FewRows<V, T>;
    using Many = ManyRows<V, T>;
    static constexpr int64_t kLanes = V::kLanes, kMostTiles = kFmaRows / kLanes;

    /// A state: [lanes] largest scores, [lanes] sums, then values: of many rows [width][lanes], of few [rows][value_size].
    static int64_t state_size(int64_t d) { return 2 * kLanes + std::max(Many::width(d) * kLanes, Few::kRows * Few::value_size(d)); }

    float *queries, *scores, *chunk, *total;  // of few rows: the first part of each
    float *keys, *values;                     // a chunk's, widened; of few rows: keys holds a turned block, values copies of codes
    int32_t* positions;

    static size_t bytes(int64_t d) {
        return scratch_bytes<float>(query_size(d)) + scratch_bytes<float>(Many::kTiles * kChunkKeys * kLanes) +
               scratch_bytes<float>(Many::kTiles * state_size(d)) + scratch_bytes<float>(kMostTiles * state_size(d)) +
               2 * scratch_bytes<float>(kChunkKeys * Many::width(d)) + scratch_bytes<int32_t>(kFmaRows);
    }
    static FmaScratch take(hearth::Scratch& scratch, int64_t d) {
        FmaScratch s{};
        s.queries = scratch.take<float>(query_size(d));
        s.scores = scratch.take<float>(Many::kTiles * kChunkKeys * kLanes);
        s.chunk = scratch.take<float>(Many::kTiles * state_size(d));
        s.total = scratch.take<float>(kMostTiles * state_size(d));
        s.keys = scratch.take<float>(kChunkKeys * Many::width(d));
        s.values = scratch.take<float>(kChunkKeys * Many::width(d));
        s.positions = scratch.take<int32_t>(kFmaRows);
        return s;
    }
    static int64_t query_size(int64_t d) { return kMostTiles * Many::width(d) * kLanes; }
};

}  // namespace hearth::cpu
