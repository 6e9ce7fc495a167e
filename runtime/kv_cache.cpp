#include "runtime/kv_cache.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"

namespace hearth {

int64_t KvCache::bytes_per_block(const ModelConfig& config, DType dtype) {
    const KvPages pages{.dtype = dtype, .num_blocks = 1, .num_heads = config.kv_heads, .head_dim = config.head_dim};
    return config.layers * kBlockTokens * pages.token_bytes();
}

KvCache::KvCache(const ModelConfig& config, const Backend& backend, int64_t num_blocks, DType dtype)
    : num_blocks_(num_blocks), bytes_per_block_(bytes_per_block(config, dtype)) {
    HEARTH_CHECK(dtype == DType::kBf16 || dtype == DType::kF32 || dtype == DType::kI8);
    const auto total = checked_mul(num_blocks, bytes_per_block_);
    const auto fail = [&](const std::string& why) {
        throw Error(ErrorKind::kNoResources, cat("KV cache of ", num_blocks, " blocks of ", kBlockTokens, " tokens, ",
                                                 total ? human_bytes(*total) : std::string("more bytes than can be counted"), ": ", why));
    };
    if (num_blocks <= 0) fail("expected at least one block");
    if (!total) fail("too large");
    try {
        memory_ = backend.allocate(*total);
    } catch (const Error& error) {
        fail(error.what());
    }
    const int64_t rows = num_blocks * config.kv_heads * kBlockTokens, pages = rows * config.head_dim * bytes_of(dtype);
    const int64_t scales = dtype == DType::kI8 ? rows * int64_t{sizeof(float)} : 0;  // behind the codes of their layer
    std::byte* at = memory_.get();
    for (int64_t i = 0; i < config.layers; ++i, at += 2 * (pages + scales)) {
        KvPages& layer = layers_.emplace_back(KvPages{
            .dtype = dtype, .k = at, .v = at + pages, .num_blocks = num_blocks, .num_heads = config.kv_heads, .head_dim = config.head_dim});
        if (scales == 0) continue;
        layer.k_scales = reinterpret_cast<float*>(at + 2 * pages);
        layer.v_scales = layer.k_scales + rows;
    }
}

}  // namespace hearth
