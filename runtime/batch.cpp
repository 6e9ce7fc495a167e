#include "runtime/batch.h"

#include "base/checked.h"
#include "base/error.h"
#include "kernels/ops.h"

namespace hearth {

void Batch::begin(int64_t width) {
    token_ids.clear();
    positions.clear();
    slots.clear();
    block_tables.clear();
    logit_rows.clear();
    seq_starts.assign(1, 0);
    table_width = width;
}

void Batch::add(std::span<const int32_t> tokens, int64_t first, std::span<const BlockId> blocks, int64_t wanted, int64_t in_cache) {
    const auto count = static_cast<int64_t>(tokens.size());
    const int64_t needed = ceil_div(first + count, kBlockTokens);  // blocks past those are not the kernels' business yet
    HEARTH_CHECK(count > 0 && wanted >= 0 && wanted <= count);
    HEARTH_CHECK(needed <= static_cast<int64_t>(blocks.size()) && needed <= table_width);

    token_ids.insert(token_ids.end(), tokens.begin(), tokens.end());
    for (int64_t p = first; p < first + count; ++p) {
        positions.push_back(static_cast<int32_t>(p));
        const BlockId block = blocks[static_cast<size_t>(p / kBlockTokens)];
        slots.push_back(p < in_cache ? -1 : static_cast<int32_t>(block * kBlockTokens + p % kBlockTokens));
    }
    block_tables.insert(block_tables.end(), blocks.begin(), blocks.begin() + needed);
    block_tables.resize(block_tables.size() + static_cast<size_t>(table_width - needed), 0);
    for (int64_t row = num_tokens() - wanted; row < num_tokens(); ++row) logit_rows.push_back(static_cast<int32_t>(row));
    seq_starts.push_back(static_cast<int32_t>(num_tokens()));
}

}  // namespace hearth
