// attention/amx: see amx_kernel.h. With a cache of bf16, queries, and exponentials before they weigh values, are rounded to bf16; with one
// of q8 to 16-bit numbers. The softmax itself is in float32.
//
// Bound for prompts: the tile unit (16 cycles for 16 queries, 16 keys and 32 numbers) and, nearly as much, some ten operations for
// each exponential. One token runs through the same tiles, of which it fills one to 16 columns: that is still faster than memory.
#include <atomic>

#include "kernels/cpu/attention/amx_kernel.h"
#include "kernels/cpu/cpu_stream.h"
#include "kernels/cpu/rows.h"
#include "kernels/select.h"

namespace hearth::cpu {
namespace {

/// Split into chunks only up to this many tokens, and this many states.
constexpr int64_t kAmxSplitTokens = 16, kAmxSplitStates = 4096;

int64_t most_chunks(const AttentionArgs& a) { return ceil_div(a.block_tables.extent[1], kAmxBlocks); }

/// States of a split call at most: grows with tokens up to the most that are split, whatever sequences they belong to.
int64_t most_states(const AttentionArgs& a) {
    const int64_t tiles = std::min(a.q.extent[0], kAmxSplitTokens) * a.cache.num_heads * ceil_div(a.num_heads / a.cache.num_heads, kLanes);
    return std::min(kAmxSplitStates, tiles * most_chunks(a));
}

template <class Format>
class AmxCall {
public:
    AmxCall(const AttentionArgs& a, Stream& stream) : scratch_(stream), pool_(pool_of(stream)), plan_{a, kAmxRows, kAmxBlocks} {
        const int64_t d = a.cache.head_dim;
        threads_ = scratch_.take<AmxScratch<Format>>(pool_.threads());
        for (int64_t i = 0; i < pool_.threads(); ++i) threads_[i] = AmxScratch<Format>::take(scratch_, d);
        int64_t tiles = 0, longest = 0;
        for (int64_t s = 0; s < a.num_seqs(); ++s) {
            if (plan_.tokens_of(s) == 0) continue;
            units_ += plan_.units_of(s);
            tiles += tiles_of(s) * a.cache.num_heads;
            longest = std::max(longest, plan_.chunks_of(s).size());
        }
        constexpr int64_t kUnitsPerThread = 4;  // enough for an even share
        const bool may_split = a.q.extent[0] <= kAmxSplitTokens && tiles * most_chunks(a) <= kAmxSplitStates;
        plan_.split = may_split && pool_.threads() > 1 && longest > 1 && units_ < kUnitsPerThread * pool_.threads();
        if (!plan_.split) return;
        units_ = 0;
        for (int64_t s = 0; s < a.num_seqs(); ++s) units_ += plan_.units_of(s);
        states_ = {nullptr, most_chunks(a), LaneState::size(Format::depth(d))};
        states_.data = scratch_.template take<float>(tiles * states_.chunks * states_.size);
    }

    void run() {
        if (units_ == 0) return;
        if (units_ == 1) return run_units(0, {0, 1});
        if (!plan_.split) {
            std::atomic<int64_t> next{0};
            return pool_.run([&](int thread) noexcept { run_some(thread, next); });
        }
        pool_.run([&](int thread) noexcept { run_units(thread, part_of(units_, thread, pool_.threads())); });
        bool cut = false;
        for_each_cut([&](const AttentionUnit&, Range) { cut = true; });
        if (cut) pool_.run([&](int thread) noexcept { merge_some(thread); });
    }

private:
    int64_t tiles_of(int64_t seq) const { return ceil_div(plan_.rows_of(seq), kLanes); }

    /// Units as they come: the longest first, as they differ in length. Where few tokens make memory the limit, each thread takes a unit
    /// ahead, to fetch its first keys in time.
    void run_some(int thread, std::atomic<int64_t>& next) const noexcept {
        const TileSession session;
        const AmxUnit<Format> worker(plan_, threads_[thread], states_);
        UnitCursor<Avx512> cursor(plan_);
        AttentionUnit unit, after;
        const bool look_ahead = plan_.a.q.extent[0] <= kAmxSplitTokens;
        for (bool more = cursor.seek(next++, unit); more; unit = after) {
            if (look_ahead) more = cursor.seek(next++, after);
            worker.run(unit, 0, look_ahead && more ? &after : nullptr);
            if (!look_ahead) more = cursor.seek(next++, after);
        }
    }

    /// A run of units, which are alike, a thread's share of a split call. Those of the same rows are done in one go; what comes next is
    /// known, and fetched in time.
    void run_units(int thread, Range units) const noexcept {
        if (units.size() == 0) return;
        const TileSession session;
        const AmxUnit<Format> worker(plan_, threads_[thread], states_);
        UnitCursor<Avx512> cursor(plan_);
        const auto take = [&](int64_t i, AttentionUnit& unit) {
            if (i >= units.end || !cursor.seek(i, unit)) return false;
            if (plan_.split) unit.chunks.end = std::min(plan_.chunks_of(unit.seq).end, unit.chunks.begin + units.end - i);
            return true;
        };
        AttentionUnit unit, next;
        bool more = take(units.begin, unit);
        for (int64_t i = units.begin; more; unit = next) {
            i += plan_.split ? unit.chunks.size() : 1;
            more = take(i, next);
            worker.run(unit, first_tile(unit), more ? &next : nullptr);
        }
    }

    /// Number of a unit's first query tile among those of all sequences and KV heads.
    int64_t first_tile(const AttentionUnit& unit) const {
        int64_t tile = unit.group * tiles_of(unit.seq) + unit.rows.begin / kLanes;
        for (int64_t s = 0; s < unit.seq; ++s) tile += tiles_of(s) * plan_.a.cache.num_heads;
        return tile;
    }

    /// Calls f(rows' unit, chunks from the first on that another thread had) for all rows of a split call whose chunks several threads had.
    template <class F>
    void for_each_cut(F&& f) const {
        UnitCursor<Avx512> cursor(plan_);
        AttentionUnit unit;
        for (int64_t begin = 0; cursor.seek(begin, unit);) {
            unit.chunks = plan_.chunks_of(unit.seq);
            const int64_t end = begin + unit.chunks.size();
            for (int64_t thread = 1; thread < pool_.threads(); ++thread) {
                const int64_t cut = part_of(units_, thread, pool_.threads()).begin;
                if (cut <= begin || cut >= end) continue;
                f(unit, Range{unit.chunks.begin + cut - begin, unit.chunks.end});
                break;
            }
            begin = end;
        }
    }

    void merge_some(int thread) const noexcept {
        const AmxUnit<Format> worker(plan_, threads_[thread], states_);
        int64_t count = 0;
        for_each_cut([&](const AttentionUnit& unit, Range rest) {
            for (int64_t i = 0; i < ceil_div(unit.rows.size(), kLanes); ++i, ++count) {
                if (count % pool_.threads() == thread) worker.merge(unit, i, first_tile(unit) + i, rest);
            }
        });
    }

    Scratch scratch_;
    ThreadPool& pool_;
    AttentionPlan<Avx512> plan_;
    AmxScratch<Format>* threads_ = nullptr;
    AmxStates states_;
    int64_t units_ = 0;
};

void run(const AttentionArgs& a, Stream& stream) noexcept {
    if (a.cache.dtype == DType::kI8) {
        AmxCall<AmxQ8>(a, stream).run();
    } else {
        AmxCall<AmxBf16>(a, stream).run();
    }
}

template <class Format>
size_t workspace_of_format(const AttentionArgs& a, const Device& device) {
    const int64_t d = a.cache.head_dim;
    return scratch_bytes<AmxScratch<Format>>(device.threads) + static_cast<size_t>(device.threads) * AmxScratch<Format>::bytes(d) +
           scratch_bytes<float>(most_states(a) * LaneState::size(Format::depth(d)));
}

size_t workspace(const AttentionArgs& a, const Device& device) {
    return a.cache.dtype == DType::kI8 ? workspace_of_format<AmxQ8>(a, device) : workspace_of_format<AmxBf16>(a, device);
}

bool supports(const AttentionArgs& a, const Device& device) {
    return device.level >= CpuLevel::kAmx && (a.cache.dtype == DType::kBf16 || a.cache.dtype == DType::kI8) && a.cache.head_dim % 2 == 0 &&
           a.cache.head_dim <= 512 && a.num_heads % a.cache.num_heads == 0 && a.q.stride[1] == 1 && a.y.stride[1] == 1;
}

}  // namespace

const Variant<AttentionArgs> kAttentionAmx{"attention/amx", supports, workspace, run};

}  // namespace hearth::cpu
