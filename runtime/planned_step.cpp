#include "runtime/planned_step.h"

#include <algorithm>

#include "base/checked.h"

namespace hearth {

PlannedStep::PlannedStep(const ModelConfig& config, int64_t T, int64_t S, int64_t context, DType cache_dtype)
    : zeros_(static_cast<size_t>(std::max(T, ceil_div(context, kBlockTokens))), 0), positions_(static_cast<size_t>(T)) {
    const int64_t per_sequence = ceil_div(T, S), blocks = ceil_div(context, kBlockTokens);
    for (int64_t t = 0; t < T; ++t) {
        const int64_t position = std::max<int64_t>(0, context - per_sequence) + t % per_sequence;
        positions_[static_cast<size_t>(t)] = static_cast<int32_t>(position);
    }
    for (int64_t s = 0; s <= S; ++s) starts_.push_back(static_cast<int32_t>(std::min(T, s * per_sequence)));
    ActivationLayout(config, T, S).bind(config, nullptr, T, S, views_);
    views_.ids = views_.slots = {zeros_.data(), {T}};
    views_.rows = {zeros_.data(), {S}};
    views_.positions = {positions_.data(), {T}};
    views_.seq_starts = {starts_.data(), {S + 1}};
    views_.block_tables = {zeros_.data(), {S, blocks}};
    views_.block_tables.stride = {0, 1};
    views_.rope = {nullptr, {context, config.head_dim}};
    pages_ = {
        .dtype = cache_dtype, .k = nullptr, .v = nullptr, .num_blocks = blocks, .num_heads = config.kv_heads, .head_dim = config.head_dim};
}

}  // namespace hearth
