// One unit of attention by FMA, chunk by chunk of keys: few rows by few_rows.h, more by many_rows.h, with the same bits for each row.
//
// A chunk's result, or "state": the largest score of each row, the sum of its exponentials, its values weighted by them. Chunks begin anew
// and are merged in order. What the next chunk needs is fetched into L2 meanwhile, in small parts, so that memory is busy all the time.
#pragma once

#include <cstring>

#include "kernels/cpu/attention/fma_scratch.h"

namespace hearth::cpu {

template <class V, class T>
class FmaUnit {
public:
    using Vector = V;
    using Plan = AttentionPlan<V>;
    struct Session {};
    using Few = FewRows<V, T>;
    using Many = ManyRows<V, T>;
    using Pages = ChunkPages<T>;
    static constexpr int64_t kLanes = V::kLanes;
    static constexpr int64_t kRows = kFmaRows, kBlocks = kChunkBlocks, kStateRows = kLanes;
    static constexpr int64_t kSplitTokens = 64, kSplitStates = 4096;

    using Scratch = FmaScratch<V, T>;
    static int64_t state_size(int64_t d) { return Scratch::state_size(d); }

    FmaUnit(const Plan& plan, const Scratch& scratch, const AttentionStates& states)
        : p_(plan), t_(scratch), states_(states), find_(plan), d_(plan.a.cache.head_dim), width_(Many::width(d_)), size_(state_size(d_)) {}

    /// `tile`: the number of the unit's first state among all; `next`: what this thread will do then, or null. A unit that begins with the
    /// first chunk that its rows see is merged as it goes; when it does not end with the last one, what it has is left as the state of its
    /// last chunk. Any other unit leaves a state for each chunk.
    void run(const AttentionUnit& unit, int64_t tile, const AttentionUnit* next) const {
        load_queries(unit);
        const int64_t tiles = ceil_div(unit.rows.size(), kLanes);
        const Range all = p_.split ? p_.chunks_of(unit.seq) : unit.chunks;
        const bool first = unit.chunks.begin == all.begin, last = unit.chunks.end == all.end;
        for (int64_t i = 0; first && i < tiles; ++i) clear(total(i));
        Pages pages = find_.find(unit, unit.chunks.begin), after;
        for (int64_t chunk = unit.chunks.begin; chunk < unit.chunks.end; ++chunk, pages = after) {
            Ahead ahead(find_.lines());
            after = find_.fetch_after(unit, chunk, next, ahead);
            if (is_few(unit)) {
                run_few(unit, chunk, pages, first ? t_.chunk : states_.at(tile, chunk), ahead);
                if (first) merge_few(t_.chunk, total(0), unit.rows.size());
                continue;
            }
            widen(pages);
            for (int64_t i = 0; i < tiles;) {
                float* to[Many::kTiles];
                const int64_t count = std::min(Many::kTiles, tiles - i);
                for (int64_t j = 0; j < count; ++j) to[j] = first ? t_.chunk + j * size_ : states_.at(tile + i + j, chunk);
                run_tiles(chunk, pages, i, count, to, ahead);
                for (int64_t j = 0; first && j < count; ++j) merge_many(to[j], total(i + j));
                i += count;
            }
        }
        for (int64_t i = 0; first && i < tiles; ++i) {
            if (last) {
                finish(unit, i, total(i));
            } else {
                std::memcpy(states_.at(tile + i, unit.chunks.end - 1), total(i), static_cast<size_t>(size_) * sizeof(float));
            }
        }
    }

    /// State `i` of the unit, number `tile` among all: what was left for the chunk before `rest.begin`, then those of `rest`, into y.
    void merge(const AttentionUnit& unit, int64_t i, int64_t tile, Range rest) const {
        float* state = states_.at(tile, rest.begin - 1);
        for (int64_t chunk = rest.begin; chunk < rest.end; ++chunk) {
            if (is_few(unit)) {
                merge_few(states_.at(tile, chunk), state, unit.rows.size());
            } else {
                merge_many(states_.at(tile, chunk), state);
            }
        }
        finish(unit, i, state);
    }

private:
    static bool is_few(const AttentionUnit& unit) { return unit.rows.size() <= Few::kRows; }
    float* total(int64_t i) const { return t_.total + i * size_; }

    /// f(i, token, where the row's numbers begin in a row of all heads) for the unit's rows first + i, i below count: without a division
    /// each.
    template <class Each>
    void for_rows(const AttentionUnit& unit, int64_t first, int64_t count, Each&& f) const {
        const int64_t heads = p_.heads_per_group;
        int64_t token = p_.token_of(unit, first), head = (unit.rows.begin + first) % heads;
        for (int64_t i = 0; i < count; ++i) {
            f(i, token, (unit.group * heads + head) * d_);
            if (++head < heads) continue;
            head = 0;
            ++token;
        }
    }

    void clear(float* state) const {
        for (int64_t i = 0; i < kLanes; ++i) state[i] = -INFINITY;
        std::memset(state + kLanes, 0, static_cast<size_t>(size_ - kLanes) * sizeof(float));
    }

    /// Scores come in units of log2, as exponentials are powers of two.
    void load_queries(const AttentionUnit& unit) const {
        constexpr float kLog2E = 1.44269504f;
        const int64_t rows = unit.rows.size();
        const float scale = p_.a.scale * kLog2E, *row[kRows];
        for_rows(unit, 0, rows, [&](int64_t r, int64_t token, int64_t at) {
            t_.positions[r] = p_.a.positions.data[token];
            row[r] = p_.a.q.row(token) + at;
        });
        for (int64_t r = rows; r < round_up(rows, kLanes); ++r)
            t_.positions[r] = t_.positions[rows - 1];  // spare lanes follow the last row
        if (is_few(unit)) {
            for (int64_t r = 0; r < rows; ++r) Few::load_query(row[r], d_, scale, t_.queries + r);
            return;
        }
        for (int64_t r = 0; r < rows; r += kLanes)
            Many::load_queries(row + r, std::min(kLanes, rows - r), d_, scale, t_.queries + r * width_);
    }

    /// The keys of a chunk that row r sees.
    Range visible(int64_t chunk, int64_t r) const {
        const int64_t position = t_.positions[r], first = chunk * kChunkKeys;
        const auto within = [&](int64_t key) { return std::clamp<int64_t>(key - first, 0, kChunkKeys); };
        return {within(p_.first_key(position)), within(position + 1)};
    }

    void run_few(const AttentionUnit& unit, int64_t chunk, Pages pages, float* state, Ahead& ahead) const {
        V::store(state, V::set(-INFINITY));
        V::store(state + kLanes, V::zero());
        if (Few::W::kCodes && d_ % 4 != 0) pad(pages);
        const int64_t rows = unit.rows.size();
        const typename Few::Pace pace(ahead.lines(), rows, d_);
        for (int64_t b = pages.blocks.begin; b < pages.blocks.end; ++b) {
            Few::score(pages.block[b].keys, t_.queries, rows, d_, reinterpret_cast<uint32_t*>(t_.keys), t_.scores + b * kBlockTokens, ahead,
                       pace);
        }
        for (int64_t r = 0; r < rows; ++r) Few::soften(pages, visible(chunk, r), t_.scores + r * kChunkKeys, state[r], state[kLanes + r]);
        Few::weigh(pages, t_.scores, rows, d_, state + 2 * kLanes, ahead, pace.weigh);
    }
    /// Copies of keys and values whose rows are no whole words, padded.
    void pad(Pages& pages) const {
        const int64_t stride = round_up<int64_t>(d_, 4);
        auto* copy = reinterpret_cast<T*>(t_.values);
        for (int64_t b = pages.blocks.begin; b < pages.blocks.end; ++b) {
            for (const T** rows : {&pages.block[b].keys, &pages.block[b].values}) {
                for (int64_t i = 0; i < kBlockTokens; ++i, copy += stride) std::copy_n(*rows + i * d_, d_, copy);
                *rows = copy - kBlockTokens * stride;
            }
        }
        pages.stride = stride;
    }
    void merge_few(const float* from, float* to, int64_t rows) const {
        typename V::F keep, add;
        merge_softmax<V>(from, to, keep, add);
        alignas(64) float keeps[kLanes], adds[kLanes];
        V::store(keeps, keep);
        V::store(adds, add);
        const int64_t size = Few::value_size(d_);
        for (int64_t r = 0; r < rows; ++r) {
            const auto k = V::set(keeps[r]), a = V::set(adds[r]);
            float* acc = to + 2 * kLanes + r * size;
            for (int64_t i = 0; i < size; i += kLanes)
                V::store(acc + i, V::fma(V::load(from + 2 * kLanes + r * size + i), a, V::mul(V::load(acc + i), k)));
        }
    }

    void widen(const Pages& pages) const {
        for (int64_t b = pages.blocks.begin; b < pages.blocks.end; ++b) Many::widen_block(pages, b, d_, t_.keys, t_.values);
    }
    /// `count` vectors of rows from `tile` on against a chunk, into states `to`.
    void run_tiles(int64_t chunk, const Pages& pages, int64_t tile, int64_t count, float* const* to, Ahead& ahead) const {
        static_assert(Many::kTiles == 3);
        if (count == 3) return run_vectors<3>(chunk, pages, tile, to, ahead);
        if (count == 2) return run_vectors<2>(chunk, pages, tile, to, ahead);
        run_vectors<1>(chunk, pages, tile, to, ahead);
    }
    template <int kVectors>
    void run_vectors(int64_t chunk, const Pages& pages, int64_t tile, float* const* to, Ahead& ahead) const {
        const Range seen{visible(chunk, tile * kLanes).begin, visible(chunk, (tile + kVectors) * kLanes - 1).end};
        const Range keys{seen.begin / kBlockTokens * kBlockTokens, round_up(seen.end, kLanes)};
        if (seen.size() <= 0) {
            for (int v = 0; v < kVectors; ++v) clear(to[v]);
            return;
        }
        const float* q = t_.queries + tile * width_ * kLanes;
        constexpr int kStep = Many::template kStep<kVectors>;
        const int64_t lines = find_.lines() / 12 + 1;
        for (int64_t key = keys.begin; key < keys.end; key += kStep) {
            const float* k = t_.keys + key / Many::kGroup * Many::kGroup * width_ + key % Many::kGroup * Many::kLine;
            Many::template score_keys<kVectors>(k, q, width_, t_.scores + key * kLanes, ahead, lines);
        }
        for (int v = 0; v < kVectors; ++v)
            Many::soften(pages, keys, row_keys(chunk, (tile + v) * kLanes), t_.scores + v * kChunkKeys * kLanes, to[v]);
        for (int64_t i = 0; i < width_; i += kStep) {
            const float* values = t_.values + i / Many::kLine * kChunkKeys * Many::kLine + i % Many::kLine;
            float* out[kVectors];
            for (int v = 0; v < kVectors; ++v) out[v] = to[v] + (2 + i) * kLanes;
            Many::template weigh_numbers<kVectors>(values, {keys.begin, seen.end}, t_.scores, out, ahead, lines);
        }
    }
    RowKeys<V> row_keys(int64_t chunk, int64_t row) const {
        alignas(64) float begin[kLanes], end[kLanes];
        for (int64_t i = 0; i < kLanes; ++i) {
            const Range keys = visible(chunk, row + i);
            begin[i] = static_cast<float>(keys.begin);
            end[i] = static_cast<float>(keys.end);
        }
        return {V::load(begin), V::load(end), {visible(chunk, row + kLanes - 1).begin, visible(chunk, row).end}};
    }

    void merge_many(const float* from, float* to) const {
        typename V::F keep, add;
        merge_softmax<V>(from, to, keep, add);
        for (int64_t i = 2 * kLanes; i < (2 + width_) * kLanes; i += kLanes)
            V::store(to + i, V::fma(V::load(from + i), add, V::mul(V::load(to + i), keep)));
    }

    void finish(const AttentionUnit& unit, int64_t i, const float* state) const {
        const int64_t first = i * kLanes, count = std::min(kLanes, unit.rows.size() - first);
        float* row[kLanes];
        for_rows(unit, first, count, [&](int64_t r, int64_t token, int64_t at) { row[r] = p_.a.y.row(token) + at; });
        if (!is_few(unit)) return Many::divide(state, d_, count, row);
        for (int64_t r = 0; r < count; ++r) Few::divide(state + 2 * kLanes + r * Few::value_size(d_), state[kLanes + r], d_, row[r]);
    }

    const Plan& p_;
    const Scratch& t_;
    const AttentionStates& states_;
    ChunkFinder<V, T> find_;
    int64_t d_, width_, size_;
};

}  // namespace hearth::cpu
