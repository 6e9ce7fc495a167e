// Pages before the window of every query of a step have been given back: whatever a block table says of them, no variant looks there.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <set>

#include "tests/kernels/inputs.h"
#include "tests/kernels/run.h"

namespace hearth::testing {
namespace {

std::vector<Shape> shapes() {
    std::vector<Shape> all;
    for (const DType cache : {DType::kF32, DType::kBf16, DType::kI8}) {
        for (const int64_t window : {1, 32, 33, 150}) {
            all.push_back({.seqs = {1}, .past = {700}, .heads = 4, .groups = 2, .head_dim = 32, .window = window, .cache = cache});
            all.push_back({.seqs = {1, 5, 1}, .past = {31, 190, 128}, .heads = 6, .groups = 2, .window = window, .cache = cache});
            all.push_back({.seqs = {3, 50}, .past = {300, 260}, .heads = 4, .groups = 1, .head_dim = 40, .window = window, .cache = cache});
            all.push_back({.seqs = {100}, .past = {217}, .heads = 3, .groups = 1, .head_dim = 16, .window = window, .cache = cache});
        }
    }
    return all;
}

/// Blocks of sequence s that lie wholly before the window of its first query in the step.
int64_t blocks_given_back(const AttentionArgs& a, int64_t s) {
    const int64_t position = a.positions(a.seq_starts(s));
    return (position + 1 - a.keys_of(position)) / kBlockTokens;
}

/// Every page that no query of the step sees becomes NaN, or the scales of its codes do.
void poison_pages(const AttentionArgs& a) {
    std::set<int64_t> seen;
    for (int64_t s = 0; s < a.num_seqs(); ++s) {
        const int64_t end = a.positions(a.seq_starts(s + 1) - 1) / kBlockTokens + 1;
        for (int64_t b = blocks_given_back(a, s); b < end; ++b) seen.insert(a.block_tables(s, b));
    }
    const KvPages& cache = a.cache;
    const int64_t rows = cache.num_heads * kBlockTokens, bytes = rows * cache.head_dim * bytes_of(cache.dtype);
    for (int64_t block = 0; block < cache.num_blocks; ++block) {
        if (seen.contains(block)) continue;
        for (void* pages : {cache.k, cache.v})
            std::memset(static_cast<std::byte*>(pages) + block * bytes, 0xFF, static_cast<size_t>(bytes));
        if (cache.dtype != DType::kI8) continue;
        for (float* scales : {cache.k_scales, cache.v_scales}) std::fill_n(scales + block * rows, rows, NAN);
    }
}

/// The block tables of `a`, where `id` stands for each block that was given back, and behind the last one; how many were given back, is
/// added to `count`.
std::vector<int32_t> poisoned_tables(const AttentionArgs& a, int32_t id, int64_t& count) {
    std::vector<int32_t> tables(a.block_tables.data, a.block_tables.data + a.block_tables.size());
    for (int64_t s = 0; s < a.num_seqs(); ++s) {
        const int64_t given_back = blocks_given_back(a, s);
        const auto table = tables.begin() + s * a.block_tables.extent[1];
        std::fill(table, table + given_back, id);
        std::fill(table + a.positions(a.seq_starts(s + 1) - 1) / kBlockTokens + 1, table + a.block_tables.extent[1], id);
        count += given_back;
    }
    return tables;
}

std::vector<float> attend(const Variant<AttentionArgs>& variant, const AttentionArgs& a, const Backend& backend) {
    std::fill_n(a.y.data, a.y.size(), NAN);
    run(variant, a, backend);
    return {a.y.data, a.y.data + a.y.size()};
}

TEST(Attention, NeverLooksWhereBlocksBeforeTheWindowWere) {
    int64_t given_back = 0;
    for (const std::string& device : cpu_devices()) {
        for (const int threads : {1, 3}) {
            const auto backend = make_device({.device = device, .threads = threads});
            for (const Shape& shape : shapes()) {
                Inputs inputs(shape);
                const AttentionArgs args = inputs.attention();
                const int64_t spare = args.cache.num_blocks - 1;
                for (const auto& variant : backend->tables().attention) {
                    if (!variant.supports(args, backend->device())) continue;
                    if (device != "cpu:portable" && variant.name.ends_with("/reference")) continue;  // the same on each
                    const std::vector<float> want = attend(variant, args, *backend);
                    for (const float x : want) ASSERT_TRUE(std::isfinite(x));
                    poison_pages(args);
                    for (const int64_t id : {int64_t{-1}, int64_t{std::numeric_limits<int32_t>::max()}, spare}) {
                        AttentionArgs poisoned = args;
                        const std::vector<int32_t> tables = poisoned_tables(args, static_cast<int32_t>(id), given_back);
                        poisoned.block_tables.data = tables.data();
                        ASSERT_EQ(attend(variant, poisoned, *backend), want)
                            << variant.name << " on " << device << ", " << threads << " threads, id " << id << ", " << shape.text();
                    }
                }
            }
        }
    }
    EXPECT_GT(given_back, 1000);
}

}  // namespace
}  // namespace hearth::testing
