// A chunk of keys: 4 blocks of 32 at an absolute position, known whole before its softmax begins.
#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/cpu/attention/ahead.h"
#include "kernels/cpu/attention/plan.h"

namespace hearth::cpu {

constexpr int64_t kChunkBlocks = 4, kChunkKeys = kChunkBlocks * kBlockTokens;

/// A block's keys and values as they lie in the cache; of a q8 cache with their scales.
template <class T>
struct BlockPages {
    const T *keys = nullptr, *values = nullptr;
    const float *key_scales = nullptr, *value_scales = nullptr;
};

/// The blocks of a chunk that some row sees.
template <class T>
struct ChunkPages {
    BlockPages<T> block[kChunkBlocks];
    Range blocks;        // within the chunk; may be empty
    int64_t stride = 0;  // numbers from a key to the next
    int64_t limit = 0;   // keys of the chunk up to the last that some row sees: what lies behind may be no numbers at all

    HEARTH_INLINE int64_t keys_in(int64_t b) const { return std::min(kBlockTokens, limit - b * kBlockTokens); }
};

/// Where the chunks of a unit lie. V: the vector of who includes this.
template <class V, class T>
class ChunkFinder {
public:
    static constexpr bool kScales = std::is_same_v<T, int8_t>;

    explicit ChunkFinder(const AttentionPlan<V>& plan) : p_(plan) {}

    ChunkPages<T> find(const AttentionUnit& unit, int64_t chunk) const {
        const int64_t first = p_.first_key(p_.position_of(unit, 0)), last = p_.position_of(unit, unit.rows.size() - 1),
                      d = p_.a.cache.head_dim;
        const int64_t begin = chunk * kChunkBlocks;
        ChunkPages<T> pages;
        pages.stride = d;
        pages.blocks = {std::max(first / kBlockTokens - begin, int64_t{0}), std::min(last / kBlockTokens + 1 - begin, kChunkBlocks)};
        pages.limit = std::min(last + 1 - begin * kBlockTokens, kChunkKeys);
        for (int64_t b = pages.blocks.begin; b < pages.blocks.end; ++b) {
            const int64_t page = p_.page_of(unit, begin + b);
            pages.block[b] = {static_cast<const T*>(p_.a.cache.k) + page, static_cast<const T*>(p_.a.cache.v) + page};
            if constexpr (kScales) {
                pages.block[b].key_scales = p_.a.cache.k_scales + page / d;
                pages.block[b].value_scales = p_.a.cache.v_scales + page / d;
            }
        }
        return pages;
    }

    /// Lines of a block's keys, and as many of its values.
    int64_t lines() const { return ceil_div<int64_t>(kBlockTokens * p_.a.cache.head_dim * static_cast<int64_t>(sizeof(T)), 64); }

    /// The chunk that follows `chunk` in the unit, or the first one of `next` (null for none); `ahead` fetches its keys and values.
    ChunkPages<T> fetch_after(const AttentionUnit& unit, int64_t chunk, const AttentionUnit* next, Ahead& ahead) const {
        ChunkPages<T> after;
        if (chunk + 1 < unit.chunks.end) {
            after = find(unit, chunk + 1);
        } else if (next) {
            after = find(*next, next->chunks.begin);
        }
        fetch(after, ahead);
        ahead.end();
        return after;
    }

private:
    void fetch(const ChunkPages<T>& pages, Ahead& ahead) const {
        for (int64_t b = pages.blocks.begin; b < pages.blocks.end; ++b) {
            ahead.add(pages.block[b].values);
            ahead.add(pages.block[b].keys);
            if constexpr (!kScales) continue;
            for (const float* scales : {pages.block[b].key_scales, pages.block[b].value_scales}) {
                _mm_prefetch(scales, _MM_HINT_T1);
                _mm_prefetch(scales + kBlockTokens / 2, _MM_HINT_T1);
            }
        }
    }

    const AttentionPlan<V>& p_;
};

}  // namespace hearth::cpu
