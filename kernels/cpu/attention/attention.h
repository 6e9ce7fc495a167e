// Attention over the paged cache: which tiles there are, and who computes them.
//
// Units (units.h) are handed out one by one, the longest first: they differ in length, and each writes what no other does, so who takes
// which changes no bit. Traffic: each block of keys and values once per tile and KV head. Bound:
// bandwidth of the cache for one token, FMA units for a prompt.
#pragma once

#include <atomic>

#include "kernels/cpu/attention/tile.h"
#include "kernels/cpu/attention/units.h"
#include "kernels/cpu/cpu_stream.h"
#include "kernels/select.h"

namespace hearth::cpu {

/// Split into chunks only up to this many tokens, and this many states of a head.
constexpr int64_t kSplitTokens = 64, kSplitStates = 1024;

/// Where a chunk's state waits: [T, H, chunks] of width + 2 numbers, or null.
struct ChunkStates {
    float* data = nullptr;
    int64_t heads = 0, chunks = 0, width = 0;
    float* at(int64_t token, int64_t head, int64_t chunk) const { return data + ((token * heads + head) * chunks + chunk) * (width + 2); }
    static int64_t count(int64_t tokens, int64_t heads, int64_t chunks, int64_t width) { return tokens * heads * chunks * (width + 2); }
};

template <class V, class T>
class AttentionTile {
public:
    AttentionTile(const AttentionPlan<V>& plan, const TileScratch& scratch, const ChunkStates& states)
        : p_(plan), t_(scratch), states_(states), d_(plan.a.cache.head_dim), width_(padded_dim(d_)) {}

    void run(const AttentionUnit& unit) const {
        load_queries(unit);
        const int64_t count = unit.rows.size();
        clear(t_.total, count);
        for (int64_t chunk = unit.chunks.begin; chunk < unit.chunks.end; ++chunk) {
            clear(t_.chunk, count);
            for (int64_t block = chunk * kChunkBlocks; block < (chunk + 1) * kChunkBlocks; ++block) run_block(unit, block);
            if (p_.split) {
                save(unit, chunk);
            } else {
                for (int64_t r = 0; r < count; ++r) {
                    merge_row<V>(t_.chunk.largest[r], t_.chunk.sum[r], t_.chunk.acc + r * width_, t_.total.largest[r], t_.total.sum[r],
                                 t_.total.acc + r * width_, width_);
                }
            }
        }
        if (p_.split) return;
        for (int64_t r = 0; r < count; ++r) divide_row<V>(t_.total.acc + r * width_, t_.total.sum[r], d_, output(unit, r));
    }

    /// The saved states of one token and head, in order, into y.
    void merge(int64_t seq, int64_t token, int64_t head) const {
        clear(t_.total, 1);
        const Range chunks = p_.chunks_of(seq);
        for (int64_t chunk = chunks.begin; chunk < chunks.end; ++chunk) {
            const float* state = states_.at(token, head, chunk);
            merge_row<V>(state[0], state[1], state + 2, t_.total.largest[0], t_.total.sum[0], t_.total.acc, width_);
        }
        divide_row<V>(t_.total.acc, t_.total.sum[0], d_, p_.a.y.row(token) + head * d_);
    }

private:
    using Steps = TileSteps<V, T>;

    float* output(const AttentionUnit& unit, int64_t r) const { return p_.a.y.row(p_.token_of(unit, r)) + p_.head_of(unit, r) * d_; }

    void clear(const SoftmaxState& s, int64_t rows) const {
        for (int64_t r = 0; r < rows; ++r) {
            s.largest[r] = -INFINITY;
            s.sum[r] = 0;
        }
        std::memset(s.acc, 0, static_cast<size_t>(rows * width_) * sizeof(float));
    }

    void load_queries(const AttentionUnit& unit) const {
        const auto scale = V::set(p_.a.scale);
        for (int64_t r = 0; r < unit.rows.size(); ++r) {
            const float* q = p_.a.q.row(p_.token_of(unit, r)) + p_.head_of(unit, r) * d_;
            for (int64_t i = 0; i < d_; i += V::kLanes) V::store(t_.q + r * d_ + i, V::mul(V::load(q + i, d_ - i), scale), d_ - i);
        }
    }

    void run_block(const AttentionUnit& unit, int64_t block) const {
        const int64_t first = block * kBlockTokens, last = p_.position_of(unit, unit.rows.size() - 1);
        if (first > last) return;
        const auto position = [&](int64_t r) { return p_.position_of(unit, r); };
        Range rows{0, unit.rows.size()};  // those that see some key of the block: positions rise with r
        while (rows.begin < rows.end && position(rows.begin) < first) ++rows.begin;
        while (rows.begin < rows.end && p_.first_key(position(rows.end - 1)) >= first + kBlockTokens) --rows.end;
        if (rows.size() == 0) return;

        const int64_t keys = std::min(kBlockTokens, last + 1 - first);
        const int64_t page = p_.page_of(unit, block);
        if (first + kBlockTokens <= last) fetch(p_.page_of(unit, block + 1));
        Steps::turn_keys(static_cast<const T*>(p_.a.cache.k) + page, d_, t_);
        Steps::widen_values(static_cast<const T*>(p_.a.cache.v) + page, p_.a.cache.v_scales + page / d_, d_, keys, t_.values);
        Steps::score(t_.q, t_.keys, d_, rows, t_.scores);
        for (int64_t r = rows.begin; r < rows.end; ++r) {
            const Range visible{std::max<int64_t>(0, p_.first_key(position(r)) - first), std::min(kBlockTokens, position(r) + 1 - first)};
            t_.factors[r] =
                Steps::soften(t_.scores + r * kBlockTokens, p_.a.cache.k_scales + page / d_, visible, t_.chunk.largest[r], t_.chunk.sum[r]);
        }
        Steps::weigh(t_, width_, keys, rows);
    }

    /// Pages lie scattered and end before the hardware has seen a pattern, so the next one is asked for while this one is computed.
    void fetch(int64_t page) const {
        const int64_t bytes = kBlockTokens * d_ * static_cast<int64_t>(sizeof(T));
        const char *k = reinterpret_cast<const char*>(static_cast<const T*>(p_.a.cache.k) + page),
                   *v = reinterpret_cast<const char*>(static_cast<const T*>(p_.a.cache.v) + page);
        for (int64_t i = 0; i < bytes; i += 64) {
            _mm_prefetch(k + i, _MM_HINT_T0);
            _mm_prefetch(v + i, _MM_HINT_T0);
        }
    }

    void save(const AttentionUnit& unit, int64_t chunk) const {
        for (int64_t r = 0; r < unit.rows.size(); ++r) {
            float* state = states_.at(p_.token_of(unit, r), p_.head_of(unit, r), chunk);
            state[0] = t_.chunk.largest[r];
            state[1] = t_.chunk.sum[r];
            std::memcpy(state + 2, t_.chunk.acc + r * width_, static_cast<size_t>(width_) * sizeof(float));
        }
    }

    const AttentionPlan<V>& p_;
    const TileScratch& t_;
    const ChunkStates& states_;
    int64_t d_, width_;
};

static inline int64_t most_chunks(const AttentionArgs& a) { return ceil_div(a.block_tables.extent[1], kChunkBlocks); }

static inline bool may_split(const AttentionArgs& a) {
    return a.q.extent[0] <= kSplitTokens && a.q.extent[0] * most_chunks(a) <= kSplitStates;
}

template <class V, class T>
void attend(const AttentionArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    ThreadPool& pool = pool_of(stream);
    AttentionPlan<V> plan{a, kTileRows, kChunkBlocks};
    ChunkStates states{};
    const int64_t d = a.cache.head_dim, seqs = a.num_seqs(), threads = pool.threads();
    auto* tiles = scratch.take<TileScratch>(threads);
    for (int64_t i = 0; i < threads; ++i) tiles[i] = TileScratch::take(scratch, d);

    int64_t units = 0, longest = 0, keys = 0;
    for (int64_t s = 0; s < seqs; ++s) {
        units += plan.units_of(s);
        if (plan.tokens_of(s) == 0) continue;
        longest = std::max(longest, plan.chunks_of(s).size());
        keys += plan.units_of(s) * plan.chunks_of(s).size() * kChunkBlocks * kBlockTokens;
    }
    constexpr int64_t kUnitsPerThread = 4;  // enough for an even share
    plan.split = may_split(a) && threads > 1 && longest > 1 && units < kUnitsPerThread * threads;
    if (plan.split) {
        states = {nullptr, a.num_heads, most_chunks(a), padded_dim(d)};
        states.data = scratch.take<float>(ChunkStates::count(a.q.extent[0], a.num_heads, states.chunks, states.width));
    }
    std::atomic<int64_t> next{0};
    const auto work = [&](int thread) noexcept {
        const AttentionTile<V, T> tile(plan, tiles[thread], states);
        UnitCursor<V> cursor(plan);
        AttentionUnit unit;
        while (cursor.seek(next++, unit)) tile.run(unit);
    };
    constexpr int64_t kKeysWorthSharing = 256;
    if (keys <= kKeysWorthSharing && units <= 1) return work(0);
    pool.run(work);
    if (!plan.split) return;
    pool.run([&](int thread) noexcept {
        const AttentionTile<V, T> tile(plan, tiles[thread], states);
        const Range part = part_of(a.q.extent[0] * a.num_heads, thread, threads);
        int64_t seq = 0;
        for (int64_t i = part.begin; i < part.end; ++i) {
            const int64_t token = i / a.num_heads;
            while (token >= a.seq_starts.data[seq + 1]) ++seq;
            tile.merge(seq, token, i % a.num_heads);
        }
    });
}

template <class V>
void run_attention(const AttentionArgs& a, Stream& stream) noexcept {
    if (a.cache.dtype == DType::kBf16) {
        attend<V, Bf16>(a, stream);
    } else if (a.cache.dtype == DType::kI8) {
        attend<V, int8_t>(a, stream);
    } else {
        attend<V, float>(a, stream);
    }
}

/// Depends on extents alone and covers every smaller step of the same extents: scratch is reserved once.
static inline size_t attention_workspace(const AttentionArgs& a, const Device& device) {
    const int64_t d = a.cache.head_dim, states = std::min(kSplitStates, std::min(a.q.extent[0], kSplitTokens) * most_chunks(a));
    return scratch_bytes<TileScratch>(device.threads) + static_cast<size_t>(device.threads) * TileScratch::bytes(d) +
           scratch_bytes<float>(ChunkStates::count(states, a.num_heads, 1, padded_dim(d)));
}

static inline bool attention_fits(const AttentionArgs& a) {
    const bool cache = a.cache.dtype == DType::kBf16 || a.cache.dtype == DType::kF32 || a.cache.dtype == DType::kI8;
    return cache && a.cache.head_dim % 2 == 0 && a.cache.head_dim <= 512 && a.num_heads % a.cache.num_heads == 0 && a.q.stride[1] == 1 &&
           a.y.stride[1] == 1;
}

}  // namespace hearth::cpu
