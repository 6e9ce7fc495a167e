// One order of summation: a token's results have the same bits alone and among 512, in any chunking, with any number of threads.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <map>

#include "base/checked.h"
#include "kernels/scratch.h"
#include "tests/kernels/inputs.h"
#include "tests/kernels/run.h"

namespace hearth::testing {
namespace {

std::vector<float> random_floats(int64_t count, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> out(static_cast<size_t>(count));
    for (float& x : out) x = normal(random);
    return out;
}

bool same_bits(const float* a, const float* b, int64_t count) { return std::memcmp(a, b, static_cast<size_t>(count) * sizeof(float)) == 0; }

// ---------------------------------------------------------------------------------------------------------------- matmul

/// A weight, another for `up`, and inputs of some tokens.
struct Product {
    DType dtype;
    int64_t n, k;
    bool gated;
    std::vector<std::byte> host;
    std::vector<float> x, bias, residual;

    Product(DType dtype_, int64_t tokens, int64_t n_, int64_t k_, bool gated_) : dtype(dtype_), n(n_), k(k_), gated(gated_) {
        const std::vector<float> numbers = random_floats(2 * n * k, 3);
        host.resize(numbers.size() * static_cast<size_t>(bytes_of(dtype)));
        for (size_t i = 0; i < numbers.size(); ++i) {
            if (dtype == DType::kBf16) reinterpret_cast<Bf16*>(host.data())[i] = to_bf16(numbers[i]);
            if (dtype == DType::kF16)
                reinterpret_cast<F16*>(host.data())[i].bits = static_cast<uint16_t>(0x2C00 + (i * 2654435761u >> 20 & 0x83FF));
            if (dtype == DType::kF32) std::memcpy(host.data() + 4 * i, &numbers[i], 4);
        }
        x = random_floats(tokens * k, 4);
        bias = random_floats(n, 5);
        residual = random_floats(tokens * n, 6);
    }

    /// Rows [first, first + count) of y by `variant` with `threads`.
    std::vector<float> run(const std::string& device, const std::string& variant, int threads, int64_t first, int64_t count) const {
        const auto backend = make_device({.device = device, .threads = threads, .forced = variant});
        const auto stream = backend->make_stream();
        const HostMatrix w{dtype, host.data(), n, k}, u{dtype, host.data() + n * k * bytes_of(dtype), n, k};
        const int64_t bytes = backend->plan({&w, 1}, WeightUse::kMatmul).bytes;
        const DeviceBytes storage = backend->allocate(2 * round_up<int64_t>(bytes, 64));
        std::vector<float> y(residual.begin() + first * n, residual.begin() + (first + count) * n);
        MatmulArgs a;
        a.x = {x.data() + first * k, {count, k}};
        a.w = backend->prepare({&w, 1}, WeightUse::kMatmul, storage.get(), *stream);
        a.bias = {bias.data(), {n}};
        a.y = {y.data(), {count, n}};
        if (gated) {
            a.up = backend->prepare({&u, 1}, WeightUse::kMatmul, storage.get() + round_up<int64_t>(bytes, 64), *stream);
        } else {
            a.residual = as_const(a.y);
        }
        const auto* found = find_variant(backend->tables().matmul, a, backend->device());
        if (!found) return {};
        testing::run(*found, a, *backend);
        return y;
    }
};

/// Names of matmul variants that promise one order of summation.
std::vector<std::string> variants_in_order(const std::string& device) {
    std::vector<std::string> names;
    const auto backend = make_device({.device = device});
    for (const auto& variant : backend->tables().matmul) {
        if (!variant.name.ends_with("/reference")) names.emplace_back(variant.name);
    }
    return names;
}

TEST(SameBits, AMatmulRowWhateverTheTokensAndThreads) {
    struct Size {
        int64_t n, k;
    };
    constexpr int64_t kTokens = 77;
    int compared = 0;
    for (const std::string& device : cpu_devices()) {
        for (const std::string& variant : variants_in_order(device)) {
            for (const DType dtype : {DType::kBf16, DType::kF16, DType::kF32}) {
                for (const auto [n, k] : {Size{16, 32}, Size{7, 33}, Size{100, 1100}, Size{272, 576}}) {
                    for (const bool gated : {false, true}) {
                        const Product product(dtype, kTokens, n, k, gated);
                        const std::vector<float> want = product.run(device, variant, 1, 0, kTokens);
                        if (want.empty()) continue;
                        for (const int threads : {1, 2, 5}) {
                            for (const int64_t count : {1, 2, 3, 6, 12, 13, 16, 17, 32, 33, 77}) {
                                const int64_t first = kTokens - count;
                                const std::vector<float> got = product.run(device, variant, threads, first, count);
                                ASSERT_TRUE(same_bits(got.data(), want.data() + first * n, count * n))
                                    << variant << " on " << device << ", " << name_of(dtype) << " " << n << " x " << k << ", " << count
                                    << " tokens, " << threads << " threads";
                                ++compared;
                            }
                        }
                    }
                }
            }
        }
    }
    EXPECT_GT(compared, 0);
}

TEST(SameBits, AMatmulOfMoreTokensAndInputsThanStayInCache) {  // where sums wait for their turn, pair by pair and block by block
    constexpr int64_t kTokens = 300, kOutputs = 1060, kInputs = 2112;
    for (const std::string& device : cpu_devices()) {
        for (const std::string& variant : variants_in_order(device)) {
            for (const bool gated : {false, true}) {
                const Product product(DType::kBf16, kTokens, kOutputs, kInputs, gated);
                const std::vector<float> want = product.run(device, variant, 1, 0, kTokens);
                if (want.empty()) continue;
                for (const int64_t token : {0, 15, 16, 31, 255, 256, 299}) {
                    const std::vector<float> got = product.run(device, variant, 2, token, 1);
                    ASSERT_TRUE(same_bits(got.data(), want.data() + token * kOutputs, kOutputs))
                        << variant << " on " << device << ", token " << token;
                }
            }
        }
    }
}

TEST(SameBits, SumsPutAsideBetweenBlocksOfKAreTakenUpAgain) {
    for (const std::string& device : cpu_devices()) {
        for (const std::string& variant : variants_in_order(device)) {
            const Product product(DType::kBf16, 600, 48, 2100, false);
            const std::vector<float> want = product.run(device, variant, 2, 0, 600);
            if (want.empty()) continue;
            for (const int64_t t : {0, 1, 191, 192, 383, 384, 511, 512, 599}) {
                ASSERT_TRUE(same_bits(product.run(device, variant, 2, t, 1).data(), want.data() + t * 48, 48))
                    << variant << " on " << device << ", token " << t;
            }
        }
    }
}

TEST(SiluTimesUp, IsExactToAFewUlpsOverTheWholeRange) {
    constexpr int64_t kTokens = 4000;
    std::vector<float> x(kTokens), y(kTokens * 2);
    for (int64_t i = 0; i < kTokens; ++i) x[static_cast<size_t>(i)] = static_cast<float>(i - kTokens / 2) * 0.06f;
    const std::vector<float> ones(2, 1.0f);
    const HostMatrix matrix{DType::kF32, ones.data(), 2, 1};
    for (const std::string& device : cpu_devices()) {
        if (device == "cpu:portable") continue;
        const auto backend = make_device({.device = device, .threads = 1});
        const auto stream = backend->make_stream();
        const DeviceBytes storage = backend->allocate(backend->plan({&matrix, 1}, WeightUse::kMatmul).bytes);
        MatmulArgs a;
        a.x = {x.data(), {kTokens, 1}};
        a.w = a.up = backend->prepare({&matrix, 1}, WeightUse::kMatmul, storage.get(), *stream);
        a.y = {y.data(), {kTokens, 2}};
        const auto& variant = select(backend->tables().matmul, a, backend->device());
        testing::run(variant, a, *backend);
        for (int64_t i = 0; i < kTokens; ++i) {
            const double v = x[static_cast<size_t>(i)], want = v / (1 + std::exp(-v)) * v;
            ASSERT_NEAR(y[static_cast<size_t>(2 * i + 1)], want, 1e-6 * std::abs(want) + 1e-30) << variant.name << " at " << v;
        }
    }
}

// ------------------------------------------------------------------------------------------------------------- attention

/// Random pages and queries of some sequences; a sequence's blocks lie scattered in the cache.
struct Context {
    int64_t heads, groups, dim, window;
    DType dtype;
    std::vector<int64_t> lengths;
    std::vector<std::byte> k, v;
    std::vector<float> k_scales, v_scales;  // of codes
    std::vector<std::vector<float>> q;      // of each sequence: [length, H * D]
    int64_t width = 0, blocks = 0;

    Context(int64_t heads_, int64_t groups_, int64_t dim_, int64_t window_, DType dtype_, std::vector<int64_t> lengths_)
        : heads(heads_), groups(groups_), dim(dim_), window(window_), dtype(dtype_), lengths(std::move(lengths_)) {
        for (const int64_t length : lengths) width = std::max(width, ceil_div(length, kBlockTokens));
        blocks = width * std::ssize(lengths);
        for (auto* pages : {&k, &v}) {
            const std::vector<float> numbers = random_floats(blocks * groups * kBlockTokens * dim, pages == &k ? 1 : 2);
            pages->resize(numbers.size() * static_cast<size_t>(bytes_of(dtype)));
            for (size_t i = 0; i < numbers.size(); ++i) {
                if (dtype == DType::kBf16) {
                    reinterpret_cast<Bf16*>(pages->data())[i] = to_bf16(numbers[i]);
                } else if (dtype == DType::kI8) {
                    reinterpret_cast<int8_t*>(pages->data())[i] = static_cast<int8_t>(std::fmod(numbers[i] * 40, 128.0f));
                } else {
                    reinterpret_cast<float*>(pages->data())[i] = numbers[i];
                }
            }
        }
        for (auto* scales : {&k_scales, &v_scales}) {
            *scales = random_floats(blocks * groups * kBlockTokens, scales == &k_scales ? 7 : 8);
            for (float& x : *scales) x = 0.005f + 0.01f * std::abs(x);
        }
        for (size_t s = 0; s < lengths.size(); ++s) q.push_back(random_floats(lengths[s] * heads * dim, static_cast<uint32_t>(10 + s)));
    }

    struct Part {
        size_t seq;
        int64_t first, count;
    };

    /// y of the tokens of `parts` in one step, by the forced variant.
    std::vector<float> run(const std::string& device, const std::string& variant, int threads, const std::vector<Part>& parts) const {
        const auto backend = make_device({.device = device, .threads = threads, .forced = variant});
        std::vector<float> in;
        std::vector<int32_t> positions, starts{0}, tables;
        for (const Part& part : parts) {
            in.insert(in.end(), q[part.seq].begin() + part.first * heads * dim,
                      q[part.seq].begin() + (part.first + part.count) * heads * dim);
            for (int64_t i = 0; i < part.count; ++i) positions.push_back(static_cast<int32_t>(part.first + i));
            starts.push_back(static_cast<int32_t>(positions.size()));
            for (int64_t b = 0; b < width; ++b)
                tables.push_back(static_cast<int32_t>((b * std::ssize(lengths) + static_cast<int64_t>(part.seq)) * 7 % blocks));
        }
        const auto tokens = std::ssize(positions), seqs = std::ssize(parts);
        std::vector<float> y(in.size(), NAN);
        AttentionArgs a;
        a.q = {in.data(), {tokens, heads * dim}};
        a.cache = {dtype, const_cast<std::byte*>(k.data()),    const_cast<std::byte*>(v.data()),   blocks, groups,
                   dim,   const_cast<float*>(k_scales.data()), const_cast<float*>(v_scales.data())};
        a.positions = {positions.data(), {tokens}};
        a.seq_starts = {starts.data(), {seqs + 1}};
        a.block_tables = {tables.data(), {seqs, width}};
        a.num_heads = heads;
        a.window = window;
        a.scale = 1 / std::sqrt(static_cast<float>(dim));
        a.y = {y.data(), {tokens, heads * dim}};
        const auto* found = find_variant(backend->tables().attention, a, backend->device());
        if (!found) return {};
        testing::run(*found, a, *backend);
        return y;
    }
};

void for_each_attention_variant(const std::function<void(const std::string& device, const std::string& variant)>& test) {
    for (const std::string& device : cpu_devices()) {
        const auto backend = make_device({.device = device});
        for (const auto& variant : backend->tables().attention) {
            if (!variant.name.ends_with("/reference")) test(device, std::string(variant.name));
        }
    }
}

TEST(SameBits, AttentionWhateverTheChunkingThreadsAndNeighbours) {
    struct Case {
        int64_t heads, groups, dim, window;
        DType dtype;
    };
    constexpr int64_t kLength = 333;
    for (const auto [heads, groups, dim, window, dtype] :
         {Case{4, 2, 16, 0, DType::kBf16}, Case{6, 2, 80, 0, DType::kF32}, Case{8, 1, 64, 50, DType::kBf16},
          Case{3, 3, 24, 300, DType::kF32}, Case{71, 1, 8, 0, DType::kBf16}, Case{8, 2, 128, 0, DType::kBf16},
          Case{2, 2, 100, 70, DType::kBf16}, Case{8, 2, 64, 0, DType::kI8}, Case{3, 1, 80, 40, DType::kI8},
          Case{20, 1, 128, 0, DType::kI8}}) {
        const Context context(heads, groups, dim, window, dtype, {kLength, 40});
        const int64_t row_size = heads * dim;
        for_each_attention_variant([&](const std::string& device, const std::string& variant) {
            const std::vector<float> want = context.run(device, variant, 1, {{0, 0, kLength}});
            if (want.empty()) return;
            for (const float x : want) ASSERT_TRUE(std::isfinite(x));
            for (const int threads : {1, 2, 3}) {
                for (const int64_t chunk : {1, 7, 32, 200}) {
                    for (int64_t first = 0; first < kLength; first += chunk == 1 ? 41 : chunk) {
                        const int64_t count = std::min(chunk, kLength - first);
                        const std::vector<float> got = context.run(device, variant, threads, {{1, 3, 1}, {0, first, count}, {1, 4, 30}});
                        ASSERT_TRUE(same_bits(got.data() + row_size, want.data() + first * row_size, count * row_size))
                            << variant << " on " << device << ", " << threads << " threads, tokens from " << first << " in chunks of "
                            << chunk;
                    }
                }
            }
        });
    }
}

TEST(SameBits, ALongContextSplitAmongThreadsIsTheSameAsInOnePiece) {
    constexpr int64_t kLength = 2100;
    for (const DType dtype : {DType::kBf16, DType::kI8, DType::kF32}) {
        const Context context(4, 1, 32, 0, dtype, {kLength});
        for_each_attention_variant([&](const std::string& device, const std::string& variant) {
            const std::vector<float> want = context.run(device, variant, 1, {{0, 0, kLength}});
            if (want.empty()) return;
            for (const int threads : {1, 2, 7}) {
                for (const int64_t count : {1, 5}) {
                    const std::vector<float> got = context.run(device, variant, threads, {{0, kLength - count, count}});
                    ASSERT_TRUE(same_bits(got.data(), want.data() + (kLength - count) * 128, count * 128))
                        << variant << " on " << device << ", " << threads << " threads";
                }
            }
        });
    }
}

TEST(Attention, NeverReadsWhatOtherSequencesLeftInAPage) {
    for (const DType dtype : {DType::kF32, DType::kBf16, DType::kI8}) {
        const Context context(2, 1, 64, 0, dtype, {5});
        for_each_attention_variant([&](const std::string& device, const std::string& variant) {
            const std::vector<float> want = context.run(device, variant, 1, {{0, 0, 5}});
            if (want.empty()) return;
            Context poisoned = context;
            for (auto* pages : {&poisoned.k, &poisoned.v}) {
                const auto first = static_cast<std::ptrdiff_t>(5 * 64 * bytes_of(dtype));
                std::fill(pages->begin() + first, pages->end(), std::byte{0xFF});  // NaN as floats
            }
            for (auto* scales : {&poisoned.k_scales, &poisoned.v_scales}) std::fill(scales->begin() + 5, scales->end(), NAN);
            const std::vector<float> got = poisoned.run(device, variant, 1, {{0, 0, 5}});
            EXPECT_TRUE(same_bits(got.data(), want.data(), std::ssize(want))) << variant << " on " << device << ", " << name_of(dtype);
        });
    }
}

TEST(Attention, PassesOnWhatIsNoNumber) {
    for (const DType dtype : {DType::kF32, DType::kBf16, DType::kI8}) {
        Context context(2, 1, 16, 0, dtype, {40});
        context.q[0][39 * 32 + 3] = NAN;
        for_each_attention_variant([&](const std::string& device, const std::string& variant) {
            const std::vector<float> y = context.run(device, variant, 1, {{0, 0, 40}});
            if (y.empty()) return;
            EXPECT_TRUE(std::isnan(y[39 * 32])) << variant << ", " << name_of(dtype);
            EXPECT_TRUE(std::isfinite(y[39 * 32 + 16])) << variant << ": the other head, " << name_of(dtype);
            EXPECT_TRUE(std::isfinite(y[38 * 32])) << variant << ": the token before, " << name_of(dtype);
        });
    }
}

}  // namespace
}  // namespace hearth::testing
