#include "runtime/kv_cache.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "kernels/make_backend.h"
#include "tests/runtime/tiny_model.h"

namespace hearth {
namespace {

std::shared_ptr<const Backend> reference() {
    BackendOptions options;
    options.device = "reference";
    return make_backend(options);
}

TEST(KvCache, GivesEachLayerPagesOfItsOwnThatDoNotOverlap) {
    const auto backend = reference();
    const ModelConfig config = testing::tiny_config({.layers = 3});
    for (const DType dtype : {DType::kBf16, DType::kF32}) {
        const KvCache cache(config, *backend, 5, dtype);
        const int64_t page = 5 * config.kv_heads * kBlockTokens * config.head_dim * bytes_of(dtype);
        EXPECT_EQ(cache.bytes(), 3 * 2 * page);
        EXPECT_EQ(cache.bytes(), 5 * KvCache::bytes_per_block(config, dtype));
        const auto* at = static_cast<const std::byte*>(cache.layer(0).k);
        for (int64_t i = 0; i < 3; ++i) {
            const KvPages& pages = cache.layer(i);
            EXPECT_EQ(pages.dtype, dtype);
            EXPECT_EQ(pages.num_blocks, 5);
            EXPECT_EQ(pages.num_heads, config.kv_heads);
            EXPECT_EQ(pages.head_dim, config.head_dim);
            EXPECT_EQ(pages.k, at + 2 * i * page);
            EXPECT_EQ(pages.v, at + (2 * i + 1) * page);
            EXPECT_EQ(reinterpret_cast<uintptr_t>(pages.v) % 64, 0u);
        }
    }
}

TEST(KvCache, OfQ8HasAScaleForEachTokenAndHeadBehindTheCodes) {
    const auto backend = reference();
    const ModelConfig config = testing::tiny_config({.layers = 3});
    const KvCache cache(config, *backend, 5, DType::kI8);
    const int64_t rows = 5 * config.kv_heads * kBlockTokens;
    EXPECT_EQ(cache.bytes(), 3 * 2 * rows * (config.head_dim + 4));
    const auto* end = static_cast<const std::byte*>(cache.layer(0).k);
    for (int64_t i = 0; i < 3; ++i) {
        const KvPages& pages = cache.layer(i);
        EXPECT_EQ(pages.k, end);
        EXPECT_EQ(pages.v, end + rows * config.head_dim);
        EXPECT_EQ(reinterpret_cast<const std::byte*>(pages.k_scales), end + 2 * rows * config.head_dim);
        EXPECT_EQ(pages.v_scales, pages.k_scales + rows);
        end = reinterpret_cast<const std::byte*>(pages.v_scales + rows);
    }
    EXPECT_EQ(end - static_cast<const std::byte*>(cache.layer(0).k), cache.bytes());
    EXPECT_EQ(cache_type_name(DType::kI8), "q8");
    EXPECT_EQ(cache_type_name(DType::kBf16), "bf16");
}

TEST(KvCache, NamesTheBytesThatMemoryHadNoRoomFor) {
    const auto backend = reference();
    const ModelConfig config = testing::tiny_config({});
    for (const int64_t blocks : {int64_t{1} << 45, std::numeric_limits<int64_t>::max() / 2}) {
        try {
            KvCache(config, *backend, blocks, DType::kBf16);
            FAIL() << "a cache of " << blocks << " blocks was made";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::kNoResources);
            EXPECT_NE(std::string(error.what()).find(std::to_string(blocks)), std::string::npos) << error.what();
        }
    }
    EXPECT_THROW(KvCache(config, *backend, 0, DType::kBf16), Error);
}

}  // namespace
}  // namespace hearth
