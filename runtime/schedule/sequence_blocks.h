// Blocks of the KV cache on behalf of sequences: taking, sharing, publishing, giving back.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/schedule/block_pool.h"
#include "runtime/schedule/sequence.h"

namespace hearth {

/// Keeps Sequence::blocks, computed, in_cache, names, published and cached_tokens of each sequence in step with one pool.
///
/// Of a sequence of n tokens the blocks that lie wholly within them have names. A sequence begins behind the longest run of published
/// blocks that it may see; when that covers all of its tokens, its last one is computed all the same, since its logits are wanted, and is
/// not written. Not thread-safe.
class SequenceBlocks {
public:
    /// `window`: keys that a query sees at most in any layer, 0: all.
    SequenceBlocks(int32_t num_blocks, int64_t window, const PrefixHasher& hasher) : window_(window), hasher_(hasher), pool_(num_blocks) {}

    /// Blocks for all tokens that `sequence` has, of which it holds none yet, shared ones first; false, and nothing changes, unless
    /// `spare` are left over.
    bool admit(Sequence& sequence, int64_t spare);

    /// Blocks up to the last token, drafts included; false, and those that it got stay, where the pool has no more.
    bool grow(Sequence& sequence);

    /// Goes on behind blocks that were published since: the own ones in their place are given back.
    void share_more(Sequence& sequence);

    /// What was computed since the last call is offered to others, and what no layer sees any more is given back.
    void computed_more(Sequence& sequence);

    /// Gives all blocks back, the end first, so that beginnings live longest, and starts over. Not `trusted`: nobody finds them any more.
    void release(Sequence& sequence, bool trusted = true);

    /// The name of the first block that `sequence`, admitted or not, would have to compute; nothing where it may not share, where that is
    /// no full block of its tokens, or it is in the middle of it.
    std::optional<PrefixHash> missing_name(Sequence& sequence);

    /// Whether that block is one of those that `sequence`, which was admitted, has yet to compute.
    static bool will_compute(const Sequence& sequence, const PrefixHash& name);

    const BlockPool& pool() const { return pool_; }

    /// Throws std::logic_error where `sequence` lacks a block, or may write to one that others use.
    void check_integrity(const Sequence& sequence) const;

private:
    struct Hit {
        int64_t first = 0, end = 0;  // blocks
    };
    void name_blocks(Sequence& sequence);
    Hit find_hit(const Sequence& sequence) const;
    int64_t first_visible_block(int64_t position) const;
    void skip_to(Sequence& sequence, int64_t blocks);

    int64_t window_;
    PrefixHasher hasher_;
    BlockPool pool_;
};

/// Blocks that `tokens` lie in.
int64_t blocks_for(int64_t tokens);

}  // namespace hearth
