// How the queries of attention are cut into units of work, for all instruction sets.
//
// A row is a (token, query head) pair; all query heads of a KV head share its keys. A unit is a tile of rows of one sequence and KV head,
// over all chunks of keys that they see, or over one chunk of them. Long contexts with few tokens are split into chunks, so that one
// sequence keeps all threads busy; the chunks' states wait in scratch and are merged in order, with the same operations as without the
// split. Chunks lie at absolute positions, so that neither the split nor the step's composition changes a bit.
#pragma once

#include "base/checked.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/ops.h"

namespace hearth::cpu {

/// Where states of a split call wait: [tiles of rows that share one][chunks], `size` floats each.
struct AttentionStates {
    float* data = nullptr;
    int64_t chunks = 0, size = 0;
    HEARTH_INLINE float* at(int64_t tile, int64_t chunk) const { return data + (tile * chunks + chunk) * size; }
};

/// Some rows of one sequence and KV head against some of its chunks of keys.
struct AttentionUnit {
    int64_t seq = 0, group = 0;
    Range rows;    // of tokens times heads of the group, token by token
    Range chunks;  // of keys
};

/// What all units of one call share. V: the vector of who includes this (see the rule in ../NOTES.md).
template <class V>
struct AttentionPlan {
    const AttentionArgs& a;
    int64_t tile_rows, chunk_blocks;
    int64_t heads_per_group = a.num_heads / a.cache.num_heads;
    bool split = false;

    int64_t tokens_of(int64_t seq) const { return a.seq_starts.data[seq + 1] - a.seq_starts.data[seq]; }
    int64_t rows_of(int64_t seq) const { return tokens_of(seq) * heads_per_group; }
    int64_t tiles_of(int64_t seq) const { return ceil_div(rows_of(seq), tile_rows); }
    int64_t token_of(int64_t seq, int64_t row) const { return a.seq_starts.data[seq] + row / heads_per_group; }
    int64_t position_of(int64_t seq, int64_t row) const { return a.positions.data[token_of(seq, row)]; }
    int64_t first_key(int64_t position) const { return position + 1 - a.keys_of(position); }

    int64_t token_of(const AttentionUnit& unit, int64_t r) const { return token_of(unit.seq, unit.rows.begin + r); }
    int64_t position_of(const AttentionUnit& unit, int64_t r) const { return position_of(unit.seq, unit.rows.begin + r); }
    int64_t head_of(const AttentionUnit& unit, int64_t r) const {
        return unit.group * heads_per_group + (unit.rows.begin + r) % heads_per_group;
    }

    /// Slot of the cache where a block begins, in elements, for the unit's head.
    int64_t page_of(const AttentionUnit& unit, int64_t block) const {
        return a.cache.offset(int64_t{a.block_tables.row(unit.seq)[block]} * kBlockTokens, unit.group);
    }

    /// Chunks that some token of positions `first` to `last` sees.
    Range chunks_between(int64_t first, int64_t last) const {
        return {first_key(first) / (chunk_blocks * kBlockTokens), last / (chunk_blocks * kBlockTokens) + 1};
    }
    Range chunks_of(int64_t seq) const {
        return chunks_between(a.positions.data[a.seq_starts.data[seq]], a.positions.data[a.seq_starts.data[seq + 1] - 1]);
    }
    int64_t units_of(int64_t seq) const {
        if (tokens_of(seq) == 0) return 0;
        return tiles_of(seq) * a.cache.num_heads * (split ? chunks_of(seq).size() : 1);
    }

    /// Unit `i` of sequence `seq`: the last tile, which sees the most keys, first. A split unit may see nothing of its chunk.
    AttentionUnit unit(int64_t seq, int64_t i) const {
        const Range chunks = chunks_of(seq);
        const int64_t parts = split ? chunks.size() : 1, part = i % parts, group = i / parts % a.cache.num_heads;
        const int64_t tile = tiles_of(seq) - 1 - i / parts / a.cache.num_heads;
        AttentionUnit unit{seq, group, {tile * tile_rows, std::min((tile + 1) * tile_rows, rows_of(seq))}, chunks};
        if (split) {
            unit.chunks = {chunks.begin + part, chunks.begin + part + 1};
        } else {
            unit.chunks = chunks_between(position_of(seq, unit.rows.begin), position_of(seq, unit.rows.end - 1));
        }
        return unit;
    }
};

/// Walks from unit to unit of a call, forwards.
template <class V>
class UnitCursor {
public:
    explicit UnitCursor(const AttentionPlan<V>& plan) : plan_(plan), seqs_(plan.a.num_seqs()) {}

    /// Unit `i` of the whole call, counted from 0, not below an `i` asked for before; false past the last.
    bool seek(int64_t i, AttentionUnit& unit) {
        while (seq_ < seqs_ && i - first_ >= plan_.units_of(seq_)) first_ += plan_.units_of(seq_++);
        if (seq_ == seqs_) return false;
        unit = plan_.unit(seq_, i - first_);
        return true;
    }

private:
    const AttentionPlan<V>& plan_;
    int64_t seqs_, seq_ = 0, first_ = 0;  // a sequence and its first unit
};

}  // namespace hearth::cpu
