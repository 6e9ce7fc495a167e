// The flat arrays of one step.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/view.h"
#include "runtime/schedule/block_pool.h"

namespace hearth {

/// The tokens of a step: for each sequence a prefill chunk or one decode token. Reused from step to step, so that after the first few
/// steps nothing is allocated.
struct Batch {
    std::vector<int32_t> token_ids;     // [T]
    std::vector<int32_t> positions;     // [T]
    std::vector<int32_t> slots;         // [T]: block * kBlockTokens + token in the block; -1: k and v are in the cache already
    std::vector<int32_t> seq_starts;    // [S + 1]
    std::vector<int32_t> block_tables;  // [S, width], rows padded with 0
    int64_t table_width = 0;
    std::vector<int32_t> logit_rows;  // [R]: rows of T whose logits are wanted

    int64_t num_tokens() const { return static_cast<int64_t>(token_ids.size()); }
    int64_t num_seqs() const { return static_cast<int64_t>(seq_starts.size()) - 1; }

    /// Empties the batch; the next sequences may have up to `width` blocks.
    void begin(int64_t width);

    /// Adds `tokens` of one sequence, which stand at positions first, first + 1, ...; `blocks` covers them all.
    /// `wanted`: how many of the last tokens' logits are wanted. `in_cache`: what is before that position is not written again.
    void add(std::span<const int32_t> tokens, int64_t first, std::span<const BlockId> blocks, int64_t wanted, int64_t in_cache = 0);
};

}  // namespace hearth
