// Tokens whose k and v are in the cache already: a slot of -1 leaves every page alone, so that a page may have several readers.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <map>

#include "kernels/tables.h"
#include "tests/kernels/inputs.h"
#include "tests/kernels/run.h"

namespace hearth::testing {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_at(const void* data, int64_t count) {
    const auto* begin = static_cast<const std::byte*>(data);
    return {begin, begin + count};
}

/// What the pages hold: keys, values, their scales.
std::vector<Bytes> contents(const KvPages& cache) {
    const int64_t rows = cache.num_blocks * cache.num_heads * kBlockTokens, bytes = rows * cache.head_dim * bytes_of(cache.dtype);
    std::vector<Bytes> all{bytes_at(cache.k, bytes), bytes_at(cache.v, bytes)};
    for (const float* scales : {cache.k_scales, cache.v_scales}) {
        if (cache.dtype == DType::kI8) all.push_back(bytes_at(scales, rows * int64_t{sizeof(float)}));
    }
    return all;
}

/// Copies one token's rows from `from` to `to`, both as contents() gives them.
void copy_token(const KvPages& cache, int64_t slot, const std::vector<Bytes>& from, std::vector<Bytes>& to) {
    const int64_t rows = cache.num_blocks * cache.num_heads * kBlockTokens;
    for (size_t part = 0; part < from.size(); ++part) {
        const int64_t size = std::ssize(from[part]) / rows;
        for (int64_t g = 0; g < cache.num_heads; ++g) {
            const int64_t at = cache.offset(slot, g) / cache.head_dim * size;
            std::memcpy(to[part].data() + at, from[part].data() + at, static_cast<size_t>(size));
        }
    }
}

std::vector<Shape> shapes() {
    std::vector<Shape> all;
    for (const DType cache : {DType::kF32, DType::kBf16, DType::kI8}) {
        all.push_back({.seqs = {1}, .past = {31}, .heads = 4, .groups = 2, .head_dim = 16, .weights = DType::kF32, .cache = cache});
        all.push_back({.seqs = {3, 1, 33},
                       .past = {0, 64, 30},
                       .heads = 6,
                       .groups = 3,
                       .head_dim = 24,
                       .bias = true,
                       .qk_norm = true,
                       .weights = DType::kBf16,
                       .cache = cache});
        all.push_back({.seqs = {40}, .past = {5}, .heads = 8, .groups = 1, .head_dim = 128, .qk_norm = true, .cache = cache});
    }
    return all;
}

/// Which tokens of a step have no slot.
const std::map<std::string, std::function<bool(int64_t)>> kWithout = {{"every token", [](int64_t) { return true; }},
                                                                      {"every third", [](int64_t t) { return t % 3 == 0; }},
                                                                      {"the first", [](int64_t t) { return t == 0; }}};

/// Runs `variant` with all slots, then without some. The rotated queries and the rows of the other tokens must be the same, everything
/// else in the cache what it was before.
template <class Args>
void check_slots(const Variant<Args>& variant, Inputs& inputs, Args args, const Backend& backend, const std::string& where) {
    const auto tokens = args.slots.extent[0];
    const std::vector<int32_t> all(args.slots.data, args.slots.data + tokens);
    const std::vector<Bytes> before = contents(args.cache);
    run(variant, args, backend);
    const std::vector<Bytes> appended = contents(args.cache);
    const Bytes q = bytes_at(args.q.data, args.q.size() * int64_t{sizeof(float)});
    ASSERT_TRUE(appended != before) << where;
    for (const auto& [which, without] : kWithout) {
        inputs.reset();
        std::vector<int32_t> slots = all;
        std::vector<Bytes> want = before;
        for (int64_t t = 0; t < tokens; ++t) {
            auto& slot = slots[static_cast<size_t>(t)];
            if (without(t)) {
                slot = -1;
            } else {
                copy_token(args.cache, slot, appended, want);
            }
        }
        args.slots = {slots.data(), {tokens}};
        run(variant, args, backend);
        EXPECT_TRUE(contents(args.cache) == want) << variant.name << " " << where << ", no slot for " << which;
        EXPECT_TRUE(bytes_at(args.q.data, std::ssize(q)) == q) << variant.name << " " << where << ", no slot for " << which;
    }
    inputs.reset();
}

void for_each_device(const std::function<void(const Backend&, const Shape&, const std::string& where)>& test) {
    std::vector<std::string> devices = cpu_devices();
    devices.emplace_back("reference");
    for (const std::string& device : devices) {
        const auto backend = make_device({.device = device, .threads = 2});
        for (const Shape& shape : shapes()) test(*backend, shape, "on " + device + ", " + shape.text());
    }
}

TEST(SharedPages, RopeAppendWritesNothingForATokenWithoutASlot) {
    for_each_device([](const Backend& backend, const Shape& shape, const std::string& where) {
        Inputs inputs(shape);
        const RopeAppendArgs args = inputs.rope_append();
        for (const auto& variant : backend.tables().rope_append) {
            if (variant.supports(args, backend.device())) check_slots(variant, inputs, args, backend, where);
        }
    });
}

TEST(SharedPages, QkvWritesNothingForATokenWithoutASlot) {
    for_each_device([](const Backend& backend, const Shape& shape, const std::string& where) {
        Inputs inputs(shape);
        const QkvArgs args = inputs.qkv();
        for (const auto& variant : backend.tables().qkv) {
            if (variant.supports(args, backend.device())) check_slots(variant, inputs, args, backend, where);
        }
    });
}

/// y of the tokens of `rope` from `first` on, a run of one sequence.
std::vector<float> attend(const Backend& backend, AttentionArgs a, const RopeAppendArgs& rope, int64_t first) {
    const auto tokens = rope.q.extent[0];
    const int32_t starts[] = {0, static_cast<int32_t>(tokens)};
    std::vector<float> y(static_cast<size_t>(rope.q.size()));
    a.q = as_const(rope.q);
    a.cache = rope.cache;
    a.positions = {a.positions.data + first, {tokens}};
    a.seq_starts = {starts, {2}};
    a.y = {y.data(), {tokens, rope.q.extent[1]}};
    run(select(backend.tables().attention, a, backend.device()), a, backend);
    return y;
}

TEST(SharedPages, ALastTokenComputedAgainHasTheAttentionThatItHad) {
    for_each_device([](const Backend& backend, const Shape& shape, const std::string& where) {
        if (shape.seqs.size() > 1) return;
        Inputs inputs(shape);
        const RopeAppendArgs all = inputs.rope_append();
        const AttentionArgs attention = inputs.attention();
        const auto& append = select(backend.tables().rope_append, all, backend.device());
        run(append, all, backend);
        const std::vector<float> want = attend(backend, attention, all, 0);

        const int64_t last = shape.tokens() - 1, width = all.q.extent[1];
        const int32_t none = -1;
        std::vector<float> q(static_cast<size_t>(width));
        RopeAppendArgs again = all;
        again.qkv = {all.qkv.row(last), {1, all.qkv.extent[1]}};
        again.positions = {all.positions.data + last, {1}};
        again.slots = {&none, {1}};
        again.q = {q.data(), {1, width}};
        run(append, again, backend);
        EXPECT_EQ(attend(backend, attention, again, last), std::vector<float>(want.end() - width, want.end())) << where;
    });
}

}  // namespace
}  // namespace hearth::testing
