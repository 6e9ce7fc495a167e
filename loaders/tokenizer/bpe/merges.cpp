// Three ways to the same answer. A short word looks for its best pair again and again, which is the fastest for what words are: a
// dozen symbols in two cache lines. A long word is first swept: all pairs of the best rank in one pass, in place, for as long as that
// shrinks it, as it does where one character stands a million times. What is left keeps its pairs in one bucket per rank, each a list of
// positions that is almost always ascending by itself. A heap of all pairs would cost a factor of log n and a cache miss for each step.
#include "loaders/tokenizer/bpe/merges.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "base/error.h"

namespace hearth {

namespace {

constexpr size_t kShortWord = 40;  // symbols

uint64_t pair_key(int32_t left, int32_t right) { return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right); }

}  // namespace

MergeTable::MergeTable(size_t pairs) {
    size_t slots = 16;
    while (slots < 2 * pairs) slots *= 2;
    slots_.resize(slots);
    merges_.reserve(pairs);
}

/// Where `pair` is, or the free slot where it belongs.
size_t MergeTable::slot_of(uint64_t pair) const {
    const size_t mask = slots_.size() - 1;
    uint64_t hash = pair * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        if (slots_[at].merge < 0 || slots_[at].pair == pair) return at;
    }
}

void MergeTable::grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
        if (slot.merge >= 0) slots_[slot_of(slot.pair)] = slot;
    }
}

void MergeTable::set(int32_t left, int32_t right, Merge merge) {
    HEARTH_CHECK(left >= 0 && right >= 0 && merge.rank >= 0 && merge.result >= 0);
    if (2 * (merges_.size() + 1) > slots_.size()) grow();
    Slot& slot = slots_[slot_of(pair_key(left, right))];
    if (slot.merge < 0) {
        slot = {pair_key(left, right), static_cast<int32_t>(merges_.size())};
        merges_.push_back(merge);
    } else {
        merges_[slot.merge] = merge;
    }
    num_ranks_ = std::max(num_ranks_, merge.rank + 1);
}

int32_t MergeTable::find(int32_t left, int32_t right) const { return slots_[slot_of(pair_key(left, right))].merge; }

namespace {

void merge_short(std::vector<int32_t>& ids, const MergeTable& table, MergeScratch& scratch) {
    int32_t merges[kShortWord];  // of ids[i] and ids[i + 1]
    for (size_t i = 0; i + 1 < ids.size(); ++i) merges[i] = table.find(ids[i], ids[i + 1]);
    scratch.steps += static_cast<int64_t>(ids.size());
    while (ids.size() > 1) {
        size_t best = ids.size();
        int32_t best_rank = INT32_MAX;
        for (size_t i = 0; i + 1 < ids.size(); ++i) {
            if (merges[i] < 0 || table[merges[i]].rank >= best_rank) continue;
            best = i;
            best_rank = table[merges[i]].rank;
        }
        scratch.steps += static_cast<int64_t>(ids.size());
        if (best == ids.size()) return;
        ids[best] = table[merges[best]].result;
        ids.erase(ids.begin() + static_cast<ptrdiff_t>(best) + 1);
        for (size_t i = best; i + 1 < ids.size(); ++i) merges[i] = merges[i + 1];
        if (best > 0) merges[best - 1] = table.find(ids[best - 1], ids[best]);
        if (best + 1 < ids.size()) merges[best] = table.find(ids[best], ids[best + 1]);
    }
}

/// Asks the table, but not twice in a row for the same pair.
class Finder {
public:
    Finder(const MergeTable& table, int64_t& steps) : table_(table), steps_(steps) {}

    int32_t operator()(int32_t left, int32_t right) {
        ++steps_;
        if (left != left_ || right != right_) {
            left_ = left;
            right_ = right;
            merge_ = table_.find(left, right);
        }
        return merge_;
    }

    int32_t rank(int32_t left, int32_t right) {
        const int32_t merge = (*this)(left, right);
        return merge < 0 ? INT32_MAX : table_[merge].rank;
    }

private:
    const MergeTable& table_;
    int64_t& steps_;
    int32_t left_ = -1, right_ = -1, merge_ = -1;
};

/// Merges every pair of the lowest rank, then of the next lowest, for as long as a sweep takes away a quarter of the symbols. Exact at
/// every moment: a sweep stops where a merge makes a pair that should go before what is left of the sweep. True: nothing is left to merge.
bool sweep(std::vector<int32_t>& ids, const MergeTable& table, MergeScratch& scratch) {
    Finder ahead(table, scratch.steps), behind(table, scratch.steps);
    int32_t rank = INT32_MAX;
    for (size_t i = 0; i + 1 < ids.size(); ++i) rank = std::min(rank, ahead.rank(ids[i], ids[i + 1]));
    while (rank != INT32_MAX) {
        int32_t next_rank = INT32_MAX;
        size_t kept = 0, read = 0;
        bool in_order = true;
        while (read < ids.size() && in_order) {
            int32_t id = ids[read++];
            if (read < ids.size() && ahead.rank(id, ids[read]) == rank) {
                id = table[ahead(id, ids[read++])].result;
                if (read < ids.size()) in_order = ahead.rank(id, ids[read]) > rank;
            }
            if (kept > 0) {
                const int32_t left_rank = behind.rank(ids[kept - 1], id);
                in_order &= left_rank > rank;
                next_rank = std::min(next_rank, left_rank);
            }
            ids[kept++] = id;
        }
        const size_t before = ids.size();
        ids.erase(ids.begin() + static_cast<ptrdiff_t>(kept), ids.begin() + static_cast<ptrdiff_t>(read));
        if (!in_order) return false;
        if (next_rank != INT32_MAX && ids.size() > before - before / 4) return false;
        rank = next_rank;
    }
    return true;
}

}  // namespace

/// One long word. Ranks with waiting positions stand in a queue; a position
/// whose pair has changed since is passed over when its turn comes.
class LongMerger {
public:
    LongMerger(const MergeTable& table, MergeScratch& scratch) : table_(table), s_(scratch) {}

    void run(std::vector<int32_t>& ids) {
        if (s_.bucket_of_rank_.size() < static_cast<size_t>(table_.num_ranks()))
            s_.bucket_of_rank_.resize(static_cast<size_t>(table_.num_ranks()), -1);
        start(ids);
        while (!ranks_.empty()) {
            const int32_t rank = ranks_.top();
            MergeScratch::Bucket& bucket = s_.buckets_[s_.bucket_of_rank_[rank]];
            if (bucket.taken == bucket.positions.size()) {
                close(bucket);
            } else {
                const int32_t at = take(bucket);
                if (s_.nodes_[at].merge >= 0 && table_[s_.nodes_[at].merge].rank == rank) merge(at);
            }
        }
        size_t kept = 0;
        for (int32_t i = 0; i >= 0; i = s_.nodes_[i].next) ids[kept++] = s_.nodes_[i].id;
        ids.resize(kept);
    }

private:
    /// Counts before it queues, so that no list of millions is copied while it grows.
    void start(const std::vector<int32_t>& ids) {
        const auto n = static_cast<int32_t>(ids.size());
        if (s_.num_nodes_ < ids.size()) {
            s_.nodes_.reset(new MergeScratch::Node[ids.size()]);
            s_.num_nodes_ = ids.size();
        }
        for (int32_t i = 0; i < n; ++i) {
            const bool last = i + 1 == n;
            const int32_t merge = last ? -1 : table_.find(ids[i], ids[i + 1]);
            s_.nodes_[i] = {ids[i], i - 1, last ? -1 : i + 1, merge};
            if (merge >= 0) ++bucket_of(table_[merge].rank).expected;
        }
        s_.steps += n;
        for (int32_t i = 0; i < n; ++i) {
            if (s_.nodes_[i].merge < 0) continue;
            MergeScratch::Bucket& bucket = bucket_of(table_[s_.nodes_[i].merge].rank);
            if (bucket.positions.empty()) bucket.positions.reserve(bucket.expected);
            put(bucket, i);
        }
    }

    void merge(int32_t at) {
        MergeScratch::Node& node = s_.nodes_[at];
        MergeScratch::Node& gone = s_.nodes_[node.next];
        node.id = table_[node.merge].result;
        node.next = gone.next;
        gone.merge = -1;
        if (node.next >= 0) s_.nodes_[node.next].previous = at;
        look_up(at);
        if (node.previous >= 0) look_up(node.previous);
    }

    /// Finds what the node at `at` and its next one become, and queues it.
    void look_up(int32_t at) {
        MergeScratch::Node& node = s_.nodes_[at];
        ++s_.steps;
        node.merge = node.next >= 0 ? table_.find(node.id, s_.nodes_[node.next].id) : -1;
        if (node.merge >= 0) put(bucket_of(table_[node.merge].rank), at);
    }

    MergeScratch::Bucket& bucket_of(int32_t rank) {
        int32_t& index = s_.bucket_of_rank_[rank];
        if (index < 0) {
            if (s_.free_buckets_.empty()) {
                s_.free_buckets_.push_back(static_cast<int32_t>(s_.buckets_.size()));
                s_.buckets_.emplace_back();
            }
            index = s_.free_buckets_.back();
            s_.free_buckets_.pop_back();
            s_.buckets_[index].rank = rank;
            ranks_.push(rank);
        }
        return s_.buckets_[index];
    }

    void put(MergeScratch::Bucket& bucket, int32_t at) {
        ++s_.steps;
        std::vector<int32_t>& positions = bucket.positions;
        if (!bucket.is_heap && !positions.empty() && at < positions.back()) {
            if (bucket.taken == 0) {
                bucket.sorted = false;  // sorted once, when its turn comes
            } else {                    // its turn had begun; an ascending list is a heap already
                positions.erase(positions.begin(), positions.begin() + static_cast<ptrdiff_t>(bucket.taken));
                bucket.taken = 0;
                bucket.is_heap = true;
            }
        }
        positions.push_back(at);
        if (bucket.is_heap) std::push_heap(positions.begin(), positions.end(), std::greater<>());
    }

    int32_t take(MergeScratch::Bucket& bucket) {
        ++s_.steps;
        std::vector<int32_t>& positions = bucket.positions;
        if (bucket.is_heap) {
            std::pop_heap(positions.begin(), positions.end(), std::greater<>());
            const int32_t at = positions.back();
            positions.pop_back();
            return at;
        }
        if (!bucket.sorted) {
            std::sort(positions.begin(), positions.end());
            bucket.sorted = true;
        }
        return positions[bucket.taken++];
    }

    void close(MergeScratch::Bucket& bucket) {
        ranks_.pop();
        s_.free_buckets_.push_back(s_.bucket_of_rank_[bucket.rank]);
        s_.bucket_of_rank_[bucket.rank] = -1;
        bucket.positions.clear();
        bucket.taken = bucket.expected = 0;
        bucket.sorted = true;
        bucket.is_heap = false;
    }

    const MergeTable& table_;
    MergeScratch& s_;
    std::priority_queue<int32_t, std::vector<int32_t>, std::greater<>> ranks_;
};

void merge_all(std::vector<int32_t>& ids, const MergeTable& table, MergeScratch& scratch) {
    if (ids.size() <= kShortWord) {
        merge_short(ids, table, scratch);
    } else if (!sweep(ids, table, scratch)) {
        LongMerger(table, scratch).run(ids);
    }
}

}  // namespace hearth
