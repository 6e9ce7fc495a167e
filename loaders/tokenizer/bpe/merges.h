// Byte pair encoding: which neighbours become one, in which order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace hearth {

/// What two neighbouring tokens become. The lowest rank goes first, and of equal ranks the leftmost.
struct Merge {
    int32_t rank = 0, result = 0;
};

/// Pairs of tokens that merge. Built once, then read by any thread.
class MergeTable {
public:
    /// `pairs`: how many are coming, so that the table is made once.
    explicit MergeTable(size_t pairs = 0);

    /// A pair that is there already gets the new merge. Ids and the rank are not negative.
    void set(int32_t left, int32_t right, Merge merge);

    /// Index of the pair's merge, or -1.
    int32_t find(int32_t left, int32_t right) const;

    const Merge& operator[](int32_t index) const { return merges_[index]; }
    size_t size() const { return merges_.size(); }
    int32_t num_ranks() const { return num_ranks_; }  // every rank is below this

private:
    struct Slot {
        uint64_t pair = 0;
        int32_t merge = -1;  // -1: free
    };

    size_t slot_of(uint64_t pair) const;
    void grow();

    std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
    std::vector<Merge> merges_;
    int32_t num_ranks_ = 0;
};

/// Memory that merging reuses from word to word, and a count of what it did. One per thread.
class MergeScratch {
public:
    int64_t steps = 0;  // pairs looked up, positions queued and taken: what the time is made of

private:
    friend class LongMerger;
    struct Node {
        int32_t id, previous, next;
        int32_t merge;  // of this node with the next: index into the table, or -1
    };
    struct Bucket {
        int32_t rank = -1;
        std::vector<int32_t> positions;
        size_t taken = 0, expected = 0;
        bool sorted = true, is_heap = false;
    };
    std::unique_ptr<Node[]> nodes_;  // [num_nodes_], not initialised: a long word's are written once
    size_t num_nodes_ = 0;
    std::vector<Bucket> buckets_;
    std::vector<int32_t> bucket_of_rank_;  // [num_ranks], -1: none
    std::vector<int32_t> free_buckets_;
};

/// Merges the neighbours of `ids` until no pair is left. About linear: n log n at worst.
void merge_all(std::vector<int32_t>& ids, const MergeTable& table, MergeScratch& scratch);

}  // namespace hearth
