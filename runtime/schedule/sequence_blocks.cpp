#include "runtime/schedule/sequence_blocks.h"

#include <algorithm>
#include <span>
#include <stdexcept>

#include "base/checked.h"
#include "base/error.h"
#include "kernels/ops.h"

namespace hearth {

int64_t blocks_for(int64_t tokens) { return ceil_div(tokens, kBlockTokens); }

/// The names of all full blocks: tokens never change, so names are only added.
void SequenceBlocks::name_blocks(Sequence& s) {
    const int64_t full = s.length() / kBlockTokens;
    for (auto at = static_cast<int64_t>(s.names.size()); at < full; ++at) {
        const std::span<const int32_t> tokens(s.tokens.data() + at * kBlockTokens, kBlockTokens);
        s.names.push_back(hasher_.extend(at == 0 ? hasher_.begin(s.request.owner) : s.names.back(), tokens));
    }
}

/// The first block that the query at `position` sees in any layer.
int64_t SequenceBlocks::first_visible_block(int64_t position) const {
    return window_ == 0 ? 0 : std::max<int64_t>(0, position - window_ + 1) / kBlockTokens;
}

/// The longest run of published blocks that a sequence can begin behind: with a window, what lies before it may be missing.
SequenceBlocks::Hit SequenceBlocks::find_hit(const Sequence& s) const {
    Hit best;
    int64_t run = 0;  // blocks in a row up to `at`
    for (int64_t at = 0; at < std::ssize(s.names); ++at) {
        run = pool_.is_published(s.names[static_cast<size_t>(at)]) ? run + 1 : 0;
        const int64_t next = std::min((at + 1) * kBlockTokens, s.length() - 1);  // the first token to be computed
        const int64_t first = first_visible_block(next);
        if (run > 0 && at + 1 - run <= first) best = {.first = std::min(first, at), .end = at + 1};
        if (run == 0 && window_ == 0) break;
    }
    return best;
}

/// The first `blocks` of a sequence are in the cache.
void SequenceBlocks::skip_to(Sequence& s, int64_t blocks) {
    const int64_t before = s.computed;
    s.in_cache = blocks * kBlockTokens;
    s.computed = std::min(s.in_cache, s.length() - 1);
    s.published = blocks;
    if (!s.started_over) s.cached_tokens += s.computed - before;
}

bool SequenceBlocks::admit(Sequence& s, int64_t spare) {
    HEARTH_CHECK(s.blocks.empty() && s.computed == 0);
    name_blocks(s);
    const Hit hit = s.may_reuse() ? find_hit(s) : Hit{};
    const int64_t needed = blocks_for(s.length());
    int64_t idle = 0;  // of those that are shared: they count as available now
    for (int64_t at = hit.first; at < hit.end; ++at) idle += pool_.is_idle(s.names[static_cast<size_t>(at)]);
    if (pool_.num_available() - idle < needed - hit.end + spare) return false;
    s.blocks.reserve(static_cast<size_t>(needed));  // memory before blocks: one that is taken and finds no place would be lost
    s.blocks.assign(static_cast<size_t>(hit.first), kNoBlock);
    for (int64_t at = hit.first; at < hit.end; ++at) s.blocks.push_back(*pool_.share(s.names[static_cast<size_t>(at)]));
    for (int64_t at = hit.end; at < needed; ++at) s.blocks.push_back(*pool_.acquire());
    if (hit.end > 0) skip_to(s, hit.end);
    return true;
}

bool SequenceBlocks::grow(Sequence& s) {
    const int64_t needed = blocks_for(std::ssize(s.tokens));
    while (std::ssize(s.blocks) < needed) {
        if (s.blocks.size() == s.blocks.capacity()) s.blocks.reserve(2 * s.blocks.size() + 1);
        const auto block = pool_.acquire();
        if (!block) return false;
        s.blocks.push_back(*block);
    }
    return true;
}

void SequenceBlocks::share_more(Sequence& s) {
    while (const auto name = missing_name(s)) {
        const auto shared = pool_.share(*name);
        if (!shared) return;
        BlockId& own = s.blocks[static_cast<size_t>(s.computed / kBlockTokens)];
        pool_.release(own);
        own = *shared;
        skip_to(s, s.computed / kBlockTokens + 1);
    }
}

std::optional<PrefixHash> SequenceBlocks::missing_name(Sequence& s) {
    if (!s.may_reuse() || s.computed % kBlockTokens != 0) return std::nullopt;
    name_blocks(s);
    const int64_t at = s.blocks.empty() ? find_hit(s).end : s.computed / kBlockTokens;
    return at < std::ssize(s.names) ? std::optional(s.names[static_cast<size_t>(at)]) : std::nullopt;
}

bool SequenceBlocks::will_compute(const Sequence& s, const PrefixHash& name) {
    const auto rest = std::span(s.names).subspan(static_cast<size_t>(std::min(s.computed / kBlockTokens, std::ssize(s.names))));
    return std::ranges::find(rest, name) != rest.end();
}

void SequenceBlocks::computed_more(Sequence& s) {
    name_blocks(s);
    for (; (s.published + 1) * kBlockTokens <= s.computed; ++s.published) {
        const auto at = static_cast<size_t>(s.published);
        pool_.publish(s.blocks[at], s.names[at]);
    }
    for (int64_t at = first_visible_block(s.computed) - 1; at >= 0 && s.blocks[static_cast<size_t>(at)] != kNoBlock; --at) {
        pool_.release(s.blocks[static_cast<size_t>(at)]);
        s.blocks[static_cast<size_t>(at)] = kNoBlock;
    }
}

void SequenceBlocks::release(Sequence& s, bool trusted) {
    for (size_t i = s.blocks.size(); i-- > 0;) {
        if (s.blocks[i] == kNoBlock) continue;
        if (!trusted) pool_.unpublish(s.blocks[i]);
        pool_.release(s.blocks[i]);
    }
    s.blocks.clear();
    s.computed = s.in_cache = s.published = 0;
}

void SequenceBlocks::check_integrity(const Sequence& s) const {
    if (blocks_for(std::max(s.computed, s.in_cache)) > std::ssize(s.blocks)) throw std::logic_error("blocks: a token lies in no block");
    const int64_t written = std::max(s.computed, s.in_cache);  // what follows may be written
    for (int64_t at = 0; at < std::ssize(s.blocks); ++at) {
        const BlockId block = s.blocks[static_cast<size_t>(at)];
        if (block == kNoBlock) {
            if (at >= first_visible_block(s.computed)) throw std::logic_error("blocks: one that is still seen was given back");
        } else if ((at + 1) * kBlockTokens > written && pool_.num_uses(block) != 1) {
            throw std::logic_error("blocks: one that is written to has several users");
        }
    }
}

}  // namespace hearth
