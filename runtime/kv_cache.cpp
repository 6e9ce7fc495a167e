#include "runtime/kv_cache.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"

namespace hearth {

int64_t KvCache::bytes_per_block(const ModelConfig& config, DType dtype) {
    return config.layers * 2 * config.kv_heads * kBlockTokens * config.head_dim * bytes_of(dtype);
}

KvCache::KvCache(const ModelConfig& config, const Backend& backend, int64_t num_blocks, DType dtype)
    : num_blocks_(num_blocks), bytes_per_block_(bytes_per_block(config, dtype)) {
    HEARTH_CHECK(dtype == DType::kBf16 || dtype == DType::kF32);
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
    const int64_t pages = *total / config.layers / 2;  // bytes of one layer's k, or v
    std::byte* at = memory_.get();
    for (int64_t i = 0; i < config.layers; ++i, at += 2 * pages) {
        layers_.push_back({dtype, at, at + pages, num_blocks, config.kv_heads, config.head_dim});
    }
}

}  // namespace hearth
