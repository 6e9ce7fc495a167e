// One unit of attention in tiles of 16 queries, chunk by chunk of keys; the steps are those of `Format` (amx_bf16.h, amx_q8.h).
//
// Per chunk: the values are turned once, then pairs of query tiles pass: scores of the whole chunk, their softmax in place, values weighted
// by it, and the result merged into the queries' state. What the next chunk needs is fetched into L2 meanwhile, in small parts, so that
// memory is busy all the time.
#pragma once

#include <cstring>

#include "kernels/cpu/attention/amx_q8.h"

namespace hearth::cpu {
namespace {

constexpr int64_t kAmxRows = 256, kAmxTiles = kAmxRows / kLanes;  // of a unit

/// The scratch of one thread.
template <class Format>
struct AmxScratch {
    std::byte *queries, *keys, *values;  // tiles of queries; copies of blocks, where they cannot be read in place; blocks of turned values
    float* scores[2];                    // [128][16]
    float *chunk[2], *total;             // LaneState; kAmxTiles of them
    float *key_scales, *value_scales;    // [128], of a q8 cache
    int32_t* positions;                  // [kAmxRows]

    static size_t bytes(int64_t d) {
        const int64_t state = LaneState::size(Format::depth(d));
        return scratch_bytes<std::byte>(kAmxTiles * Format::query_bytes(d)) +
               2 * scratch_bytes<std::byte>(kChunkBlocks * Format::value_bytes(d)) + 2 * scratch_bytes<float>(kChunkKeys * kLanes) +
               2 * scratch_bytes<float>(state) + scratch_bytes<float>(kAmxTiles * state) + 2 * scratch_bytes<float>(kChunkKeys) +
               scratch_bytes<int32_t>(kAmxRows);
    }
    static AmxScratch take(Scratch& scratch, int64_t d) {
        const int64_t state = LaneState::size(Format::depth(d));
        AmxScratch s{};
        s.queries = scratch.take<std::byte>(kAmxTiles * Format::query_bytes(d));
        s.keys = scratch.take<std::byte>(kChunkBlocks * Format::value_bytes(d));
        s.values = scratch.take<std::byte>(kChunkBlocks * Format::value_bytes(d));
        for (float*& scores : s.scores) scores = scratch.take<float>(kChunkKeys * kLanes);
        for (float*& chunk : s.chunk) chunk = scratch.take<float>(state);
        s.total = scratch.take<float>(kAmxTiles * state);
        s.key_scales = scratch.take<float>(kChunkKeys);
        s.value_scales = scratch.take<float>(kChunkKeys);
        s.positions = scratch.take<int32_t>(kAmxRows);
        return s;
    }
};

template <class Format>
class AmxUnit {
public:
    using Vector = Avx512;
    using Plan = AttentionPlan<Avx512>;
    using Scratch = AmxScratch<Format>;
    using Session = typename Format::Tiles::Session;
    using Element = typename Format::Element;
    using Pages = ChunkPages<Element>;
    static constexpr int64_t kRows = kAmxRows, kBlocks = kChunkBlocks, kStateRows = kLanes;
    static constexpr int64_t kSplitTokens = 16, kSplitStates = 4096;
    static int64_t state_size(int64_t d) { return LaneState::size(Format::depth(d)); }
    static constexpr auto kElement = static_cast<int64_t>(sizeof(Element));

    AmxUnit(const Plan& plan, const AmxScratch<Format>& scratch, const AttentionStates& states)
        : p_(plan), t_(scratch), states_(states), find_(plan), d_(plan.a.cache.head_dim), depth_(Format::depth(d_)) {}

    /// `tile`: the number of the unit's first query tile among all; `next`: what this thread will do then, or null. A unit that begins with
    /// the first chunk that its rows see is merged as it goes; when it does not end with the last one, what it has is left as the state of
    /// its last chunk. Any other unit leaves a state for each chunk.
    void run(const AttentionUnit& unit, int64_t tile, const AttentionUnit* next) const {
        load_queries(unit);
        const int64_t tiles = ceil_div(unit.rows.size(), kLanes);
        const Range all = p_.split ? p_.chunks_of(unit.seq) : unit.chunks;
        const bool first = unit.chunks.begin == all.begin, last = unit.chunks.end == all.end;
        for (int64_t i = 0; first && i < tiles; ++i) total(i).clear(depth_);
        Pages pages = find_.find(unit, unit.chunks.begin), after;
        for (int64_t chunk = unit.chunks.begin; chunk < unit.chunks.end; ++chunk, pages = after) {
            Ahead ahead(find_.lines());
            after = find_.fetch_after(unit, chunk, next, ahead);
            load_chunk(pages, ahead);
            for (int64_t i = 0; i < tiles; i += 2) {
                const LaneState to[2] = {LaneState{first ? t_.chunk[0] : states_.at(tile + i, chunk)},
                                         LaneState{first ? t_.chunk[1] : states_.at(tile + i + 1, chunk)}};
                if (i + 1 < tiles) {
                    run_tiles<2>(chunk, pages, i, to, ahead);
                } else {
                    run_tiles<1>(chunk, pages, i, to, ahead);
                }
                for (int64_t j = i; first && j < std::min(tiles, i + 2); ++j) total(j).merge(to[j - i], depth_);
            }
        }
        for (int64_t i = 0; first && i < tiles; ++i) {
            if (last) {
                finish(unit, i, total(i));
            } else {
                std::memcpy(states_.at(tile + i, unit.chunks.end - 1), total(i).data, static_cast<size_t>(states_.size) * sizeof(float));
            }
        }
    }

    /// Query tile `i` of the unit, number `tile` among all: the state left for the chunk before `rest.begin`, then those of `rest`, into y.
    void merge(const AttentionUnit& unit, int64_t i, int64_t tile, Range rest) const {
        const LaneState state{states_.at(tile, rest.begin - 1)};
        for (int64_t chunk = rest.begin; chunk < rest.end; ++chunk) state.merge({states_.at(tile, chunk)}, depth_);
        finish(unit, i, state);
    }

private:
    LaneState total(int64_t i) const { return {t_.total + i * LaneState::size(depth_)}; }

    void load_queries(const AttentionUnit& unit) const {
        constexpr float kLog2E = 1.44269504f;
        for (int64_t first = 0; first < unit.rows.size(); first += kLanes) {
            const auto row = [&](int64_t r) { return p_.a.q.row(p_.token_of(unit, first + r)) + p_.head_of(unit, first + r) * d_; };
            Format::pack_queries(row, std::min(kLanes, unit.rows.size() - first), d_, p_.a.scale * kLog2E,
                                 t_.queries + first / kLanes * Format::query_bytes(d_));
        }
        for (int64_t r = 0; r < round_up(unit.rows.size(), kLanes); ++r)  // the last tile's spare lanes follow its last row
            t_.positions[r] = static_cast<int32_t>(p_.position_of(unit, std::min(r, unit.rows.size() - 1)));
    }

    /// What is read in place: whole rows of tiles, every one of them written.
    bool lies_whole(const Pages& pages, int64_t block) const { return d_ == depth_ && pages.keys_in(block) == kBlockTokens; }

    /// A block's keys or values as they lie, or a copy of those that some row sees, padded with zeros to whole tiles.
    BlockRows rows_of(const Pages& pages, int64_t block, const Element* rows, std::byte* copy) const {
        const auto* at = reinterpret_cast<const std::byte*>(rows);
        if (lies_whole(pages, block)) return {at, d_ * kElement};
        std::memset(copy, 0, static_cast<size_t>(kBlockTokens * depth_ * kElement));
        for (int64_t i = 0; i < pages.keys_in(block); ++i)
            std::memcpy(copy + i * depth_ * kElement, at + i * d_ * kElement, static_cast<size_t>(d_ * kElement));
        return {copy, depth_ * kElement};
    }
    std::byte* copy_of(int64_t block) const { return t_.keys + block * Format::value_bytes(d_); }

    /// Turns the values of a chunk. Keys stay in place where they can: their copies are made here, once for all queries.
    void load_chunk(const Pages& pages, Ahead& ahead) const {
        for (int64_t block = pages.blocks.begin; block < pages.blocks.end; ++block) {
            Format::turn_values(rows_of(pages, block, pages.block[block].values, copy_of(block)), d_, block, t_.values, ahead);
            rows_of(pages, block, pages.block[block].keys, copy_of(block));
            if constexpr (ChunkFinder<Vector, Element>::kScales) load_scales(pages, block);
        }
    }
    /// Keys that were never written weigh nothing, whatever scales lie there.
    void load_scales(const Pages& pages, int64_t block) const {
        const int64_t keys = pages.keys_in(block);
        for (int64_t i = 0; i < kBlockTokens; ++i) {
            t_.key_scales[block * kBlockTokens + i] = i < keys ? pages.block[block].key_scales[i] : 0;
            t_.value_scales[block * kBlockTokens + i] = i < keys ? pages.block[block].value_scales[i] : 0;
        }
    }
    BlockRows keys_of(const Pages& pages, int64_t block) const {
        if (lies_whole(pages, block)) return {reinterpret_cast<const std::byte*>(pages.block[block].keys), d_ * kElement};
        return {copy_of(block), depth_ * kElement};
    }

    LaneKeys lane_keys(int64_t chunk, int64_t tile) const {
        return {t_.positions + tile * kLanes, chunk * kChunkKeys, kChunkKeys, p_.a.window};
    }

    /// kTiles query tiles from `tile` on against a chunk, into states `to`.
    template <int kTiles>
    void run_tiles(int64_t chunk, const Pages& pages, int64_t tile, const LaneState* to, Ahead& ahead) const {
        const LaneKeys keys[2] = {lane_keys(chunk, tile), lane_keys(chunk, tile + kTiles - 1)};
        const Range blocks{keys[0].blocks().begin, keys[1].blocks().end};
        if (blocks.size() <= 0) {
            for (int i = 0; i < kTiles; ++i) to[i].clear(depth_);
            return;
        }
        const std::byte* q = t_.queries + tile * Format::query_bytes(d_);
        Format::Tiles::before_loads();
        for (int64_t block = blocks.begin; block < blocks.end; ++block) {
            const int64_t at = block * kBlockTokens * kLanes;
            Format::template score_block<kTiles>(keys_of(pages, block), t_.key_scales + block * kBlockTokens, q, d_, t_.scores[0] + at,
                                                 t_.scores[1] + at, ahead);
        }
        for (int i = 0; i < kTiles; ++i) soften(keys[i], blocks, t_.scores[i], to[i], ahead);
        const __m512 units[2] = {Format::weight_unit(to[0]), Format::weight_unit(to[kTiles - 1])};
        Format::Tiles::before_loads();
        for (int64_t column = 0; column < depth_; column += 32) {
            Format::template weigh_columns<kTiles>(t_.values, d_, column, blocks, t_.scores[0], t_.scores[1], units,
                                                   to[0].values() + column * kLanes, to[kTiles - 1].values() + column * kLanes, ahead);
        }
    }

    void soften(const LaneKeys& keys, Range blocks, float* scores, const LaneState& to, Ahead& ahead) const {
        __m512 largest = _mm512_set1_ps(-INFINITY);
        for (int64_t block = blocks.begin; block < blocks.end; ++block) {
            float* s = scores + block * kBlockTokens * kLanes;
            if (!keys.all_see(block)) hide_keys(keys, block, s);
            largest = largest_of(s, largest);
        }
        const int64_t lines = depth_ * kElement / 25;
        _mm512_storeu_ps(to.data, largest);
        Format::soften(blocks, scores, shift_of(largest), t_.value_scales, lines, to, ahead);
    }

    void finish(const AttentionUnit& unit, int64_t i, const LaneState& state) const {
        const int64_t first = i * kLanes;
        state.finish(d_, std::min(kLanes, unit.rows.size() - first),
                     [&](int64_t r) { return p_.a.y.row(p_.token_of(unit, first + r)) + p_.head_of(unit, first + r) * d_; });
    }

    const Plan& p_;
    const AmxScratch<Format>& t_;
    const AttentionStates& states_;
    ChunkFinder<Vector, Element> find_;
    int64_t d_, depth_;
};

}  // namespace
}  // namespace hearth::cpu
