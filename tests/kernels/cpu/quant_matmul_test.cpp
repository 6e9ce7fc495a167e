// Products with quantised weights: against the reference, against the same whole numbers in double, and bit for bit among themselves.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "base/checked.h"
#include "kernels/reference/reference.h"
#include "tests/kernels/inputs.h"
#include "tests/kernels/quant_matrix.h"
#include "tests/kernels/run.h"

namespace hearth::testing {
namespace {

std::string text_of(const QuantFormat& f) {
    return std::string(f.kind == QuantKind::kQ8   ? "q8"
                       : f.kind == QuantKind::kQ4 ? "q4"
                                                  : "f8") +
           (f.zeros ? ", zero points" : "") + (f.columns ? ", columns" : "");
}

const std::vector<QuantFormat> kFormats = {{QuantKind::kQ8},
                                           {QuantKind::kQ4},
                                           {QuantKind::kF8},
                                           {QuantKind::kQ8, true},
                                           {QuantKind::kQ4, true, false, kLinearLevels},
                                           {QuantKind::kQ8, false, true},
                                           {QuantKind::kQ4, true, true, kLinearLevels},
                                           {QuantKind::kF8, false, true}};

struct Size {
    int64_t tokens, n, k;
};

/// Whether a variant rounds inputs to steps of a power of two, at most 254 either way, and not to 127 of the largest.
bool has_nine_bits(const std::string& variant) { return variant == "matmul/q_amx"; }

/// y = x w^T + bias + residual, or gated.
class Product {
public:
    Product(const QuantFormat& format, const Size& size, bool gated)
        : format_(format), size_(size), gated_(gated), w_(format, size.n, size.k, 1), up_(format, size.n, size.k, 2) {
        std::mt19937 random(7);
        std::normal_distribution<float> normal;
        const auto fill = [&](std::vector<float>& v, int64_t count) {
            v.resize(static_cast<size_t>(count));
            for (float& x : v) x = normal(random);
        };
        fill(x_, size.tokens * size.k);
        fill(bias_, size.n);
        fill(residual_, size.tokens * size.n);
        for (int64_t i = 0; i < size.tokens * size.k; ++i) {  // groups of very different size, one of nothing
            x_[static_cast<size_t>(i)] *= i / kQuantGroup % 5 == 4 ? 0.0f : std::ldexp(1.0f, static_cast<int>(i / kQuantGroup % 7) - 3);
        }
    }

    /// Rows [first, first + count) of y by `variant`; empty where it does not support them.
    std::vector<float> run(const std::string& device, const std::string& variant, int threads, int64_t first, int64_t count,
                           bool finish = true) {
        const auto backend = make_device({.device = device, .threads = threads, .forced = variant});
        const auto stream = backend->make_stream();
        const HostMatrix hosts[] = {w_.host(), up_.host()};
        const int64_t bytes = round_up<int64_t>(backend->plan({&hosts[0], 1}, WeightUse::kMatmul).bytes, 64);
        const DeviceBytes storage = backend->allocate(2 * bytes);
        std::vector<float> y(residual_.begin() + first * size_.n, residual_.begin() + (first + count) * size_.n);
        MatmulArgs a;
        a.x = {x_.data() + first * size_.k, {count, size_.k}};
        a.w = backend->prepare({&hosts[0], 1}, WeightUse::kMatmul, storage.get(), *stream);
        a.y = {y.data(), {count, size_.n}};
        if (finish) a.bias = {bias_.data(), {size_.n}};
        if (gated_) {
            a.up = backend->prepare({&hosts[1], 1}, WeightUse::kMatmul, storage.get() + bytes, *stream);
        } else if (finish) {
            a.residual = as_const(a.y);
        }
        const auto* found = find_variant(backend->tables().matmul, a, backend->device());
        if (!found) return {};
        testing::run(*found, a, *backend);
        return y;
    }
    std::vector<float> run(const std::string& device, const std::string& variant, int threads) {
        return run(device, variant, threads, 0, size_.tokens);
    }
    std::vector<float> reference() { return run("reference", "matmul/reference", 1); }

    /// w x in double, with x quantised as `variant` does; no bias, no residual.
    std::vector<double> exact(const std::string& variant) const {
        const int64_t n = size_.n, k = size_.k, groups = ceil_div(k, kQuantGroup);
        std::vector<double> y(static_cast<size_t>(size_.tokens * n));
        std::vector<float> w(static_cast<size_t>(k));
        for (int64_t t = 0; t < size_.tokens; ++t) {
            std::vector<double> x(static_cast<size_t>(k));
            const auto column = [&](int64_t i) { return static_cast<size_t>(format_.columns ? w_.columns[static_cast<size_t>(i)] : i); };
            for (int64_t g = 0; g < groups; ++g) {
                float largest = 0;
                const int64_t begin = g * kQuantGroup, end = std::min(k, begin + kQuantGroup);
                for (int64_t i = begin; i < end; ++i) largest = std::max(largest, std::abs(x_[static_cast<size_t>(t * k) + column(i)]));
                if (largest == 0) continue;
                double step = double{largest} / 127;
                if (has_nine_bits(variant)) step = std::ldexp(1.0, std::ilogb(largest * (256 / 254.49f)) - 7);
                const float steps = has_nine_bits(variant) ? static_cast<float>(1 / step) : 127 / largest;
                for (int64_t i = begin; i < end; ++i)
                    x[column(i)] = step * std::nearbyint(x_[static_cast<size_t>(t * k) + column(i)] * steps);
            }
            for (int64_t r = 0; r < n; ++r) {
                dequantize_row(w_.rows, r, k, w.data());
                for (int64_t i = 0; i < k; ++i)
                    y[static_cast<size_t>(t * n + r)] += double{w[static_cast<size_t>(i)]} * x[static_cast<size_t>(i)];
            }
        }
        return y;
    }

private:
    QuantFormat format_;
    Size size_;
    bool gated_;
    QuantMatrix w_, up_;
    std::vector<float> x_, bias_, residual_;
};

/// silu(x gate^T) * x up^T with both weights given, by the variant that comes first; its name.
std::string gate_and_up(const std::string& device, const HostMatrix& gate, const HostMatrix& up, View<const float, 2> x,
                        std::vector<float>& y) {
    const auto backend = make_device({.device = device, .threads = 2});
    const auto stream = backend->make_stream();
    const DeviceBytes gate_bytes = backend->allocate(backend->plan({&gate, 1}, WeightUse::kMatmul).bytes),
                      up_bytes = backend->allocate(backend->plan({&up, 1}, WeightUse::kMatmul).bytes);
    MatmulArgs a;
    a.x = x;
    a.w = backend->prepare({&gate, 1}, WeightUse::kMatmul, gate_bytes.get(), *stream);
    a.up = backend->prepare({&up, 1}, WeightUse::kMatmul, up_bytes.get(), *stream);
    y.assign(static_cast<size_t>(x.extent[0] * a.w.n), NAN);
    a.y = {y.data(), {x.extent[0], a.w.n}};
    const auto& found = select(backend->tables().matmul, a, backend->device());
    testing::run(found, a, *backend);
    return std::string(found.name);
}

/// Rows for `kind` by name, of a device.
std::vector<std::string> variants_for(const std::string& device, QuantKind kind) {
    std::vector<std::string> names;
    Product tiny({kind}, {1, 16, 32}, false);
    const auto backend = make_device({.device = device});
    for (const auto& variant : backend->tables().matmul) {
        if (!variant.name.ends_with("/reference") && !tiny.run(device, std::string(variant.name), 1).empty())
            names.emplace_back(variant.name);
    }
    return names;
}

bool same_bits(const float* a, const float* b, int64_t count) { return std::memcmp(a, b, static_cast<size_t>(count) * sizeof(float)) == 0; }

constexpr Size kSizes[] = {{1, 16, 32},   {1, 7, 1},     {2, 33, 33},    {3, 100, 95},   {5, 17, 64},
                           {7, 272, 160}, {13, 48, 576}, {29, 31, 1100}, {200, 40, 100}, {401, 20, 600}};

TEST(QuantMatmul, EveryFormatHasARowOnEveryLevelButThePortableOne) {
    for (const std::string& device : cpu_devices()) {
        if (device == "cpu:portable") continue;
        for (const QuantKind kind : {QuantKind::kQ8, QuantKind::kQ4, QuantKind::kF8})
            EXPECT_FALSE(variants_for(device, kind).empty()) << device;
    }
}

TEST(QuantMatmul, AgreesWithTheReference) {
    for (const std::string& device : cpu_devices()) {
        for (const QuantFormat& format : kFormats) {
            for (const std::string& variant : variants_for(device, format.kind)) {
                for (const Size& size : kSizes) {
                    for (const bool gated : {false, true}) {
                        Product product(format, size, gated);
                        const double tolerance = format.kind == QuantKind::kF8 ? 1e-4 : 3e-2;
                        EXPECT_LE(difference(product.run(device, variant, 2), product.reference()), tolerance)
                            << variant << " on " << device << ", " << text_of(format) << ", " << size.tokens << " x " << size.n << " x "
                            << size.k << (gated ? ", gated" : "");
                    }
                }
            }
        }
    }
}

TEST(QuantMatmul, IsExactButForTheRoundingOfItsSums) {
    for (const std::string& device : cpu_devices()) {
        for (const QuantFormat& format : kFormats) {
            if (format.kind == QuantKind::kF8) continue;
            for (const std::string& variant : variants_for(device, format.kind)) {
                for (const Size& size : kSizes) {
                    Product product(format, size, false);
                    const std::vector<double> want = product.exact(variant);
                    std::vector<float> rounded(want.begin(), want.end());
                    EXPECT_LE(difference(product.run(device, variant, 2, 0, size.tokens, false), rounded), 1e-5)
                        << variant << " on " << device << ", " << text_of(format) << ", " << size.tokens << " x " << size.n << " x "
                        << size.k;
                }
            }
        }
    }
}

TEST(QuantMatmul, HasTheSameBitsWhateverTheTokensAndThreads) {
    constexpr Size kMany{77, 100, 1100};
    for (const QuantFormat& format : kFormats) {
        for (const bool gated : {false, true}) {
            Product product(format, kMany, gated);
            std::vector<float> of_all_levels;  // that round inputs alike
            for (const std::string& device : cpu_devices()) {
                for (const std::string& variant : variants_for(device, format.kind)) {
                    const std::vector<float> want = product.run(device, variant, 1);
                    if (of_all_levels.empty()) of_all_levels = want;
                    if (format.kind != QuantKind::kF8 && !gated && !has_nine_bits(variant)) {
                        EXPECT_TRUE(same_bits(want.data(), of_all_levels.data(), std::ssize(want)))
                            << variant << " on " << device << ", " << text_of(format);
                    }
                    for (const int threads : {1, 2, 5}) {
                        for (const int64_t count : {1, 2, 3, 4, 5, 6, 7, 12, 13, 31, 77}) {
                            const int64_t first = kMany.tokens - count;
                            const std::vector<float> got = product.run(device, variant, threads, first, count);
                            ASSERT_TRUE(same_bits(got.data(), want.data() + first * kMany.n, count * kMany.n))
                                << variant << " on " << device << ", " << text_of(format) << ", " << count << " tokens, " << threads
                                << " threads";
                        }
                    }
                }
            }
        }
    }
}

TEST(QuantMatmul, TakesUpSumsPutAsideBetweenPartsOfK) {
    constexpr Size kLarge{600, 80, 2100};
    for (const std::string& device : cpu_devices()) {
        for (const std::string& variant : variants_for(device, QuantKind::kQ4)) {
            Product product({QuantKind::kQ4}, kLarge, false);
            const std::vector<float> want = product.run(device, variant, 2);
            for (const int64_t t : {0, 31, 304, 511, 512, 599}) {
                EXPECT_TRUE(same_bits(product.run(device, variant, 2, t, 1).data(), want.data() + t * kLarge.n, kLarge.n))
                    << variant << " on " << device << ", token " << t;
            }
        }
    }
}

TEST(QuantMatmul, TakesGateAndUpInDifferentFormatsApart) {
    const int64_t n = 45, k = 96;
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    std::vector<float> x(static_cast<size_t>(20 * k)), plain(static_cast<size_t>(n * k));
    for (float& v : x) v = normal(random);
    for (float& v : plain) v = 0.1f * normal(random);
    const QuantMatrix q8({QuantKind::kQ8}, n, k, 1), q4({QuantKind::kQ4}, n, k, 2),
        zeros({QuantKind::kQ4, true, false, kLinearLevels}, n, k, 3);
    const HostMatrix weights[] = {q8.host(), q4.host(), zeros.host(), {DType::kF32, plain.data(), n, k}};
    for (const std::string& device : cpu_devices()) {
        for (size_t gate = 0; gate < 4; ++gate) {
            for (size_t up = 0; up < 4; ++up) {
                for (const int64_t tokens : {1, 3, 20}) {
                    std::vector<float> y, want;
                    const View<const float, 2> in(x.data(), {tokens, k});
                    const std::string variant = gate_and_up(device, weights[gate], weights[up], in, y);
                    gate_and_up("reference", weights[gate], weights[up], in, want);
                    EXPECT_LE(difference(y, want), 3e-2) << variant << " on " << device << ", " << gate << " and " << up << ", " << tokens;
                    if (device == "cpu:portable") continue;
                    EXPECT_EQ(variant.find("/split_") != std::string::npos, gate != up)
                        << variant << " on " << device << ", " << gate << " and " << up;
                }
            }
        }
    }
}

TEST(QuantMatmul, LetsANumberThatIsNoneReachItsRowAlone) {
    for (const std::string& device : cpu_devices()) {
        for (const QuantKind kind : {QuantKind::kQ8, QuantKind::kQ4}) {
            for (const std::string& variant : variants_for(device, kind)) {
                const QuantMatrix w({kind}, 32, 64, 1);
                const auto backend = make_device({.device = device, .threads = 1, .forced = variant});
                const auto stream = backend->make_stream();
                const HostMatrix host = w.host();
                const DeviceBytes storage = backend->allocate(backend->plan({&host, 1}, WeightUse::kMatmul).bytes);
                for (const float bad : {NAN, INFINITY}) {
                    std::vector<float> x(20 * 64, 1.0f), y(20 * 32);
                    x[3 * 64 + 40] = bad;
                    MatmulArgs a;
                    a.x = {x.data(), {20, 64}};
                    a.w = backend->prepare({&host, 1}, WeightUse::kMatmul, storage.get(), *stream);
                    a.y = {y.data(), {20, 32}};
                    const auto& found = select(backend->tables().matmul, a, backend->device());
                    testing::run(found, a, *backend);
                    for (int64_t i = 0; i < 20 * 32; ++i)
                        EXPECT_EQ(std::isfinite(y[static_cast<size_t>(i)]), i / 32 != 3) << variant << ", token " << i / 32;
                }
            }
        }
    }
}

}  // namespace
}  // namespace hearth::testing
