#include "kernels/weights/quant_panels.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/checked.h"

namespace hearth {
namespace {

/// Random quantised rows of every kind, and what they mean.
struct Rows {
    std::vector<uint8_t> codes;
    std::vector<F16> scales;
    std::vector<float> wide_scales;
    std::vector<int8_t> zeros;
    std::vector<int32_t> columns;
    QuantRows rows;
    HostMatrix matrix;

    Rows(QuantKind kind, int64_t n, int64_t k, bool with_zeros, bool permuted, uint32_t seed) {
        std::mt19937 random(seed);
        const int64_t groups = ceil_div(k, kQuantGroup);
        codes.resize(static_cast<size_t>(n * code_bytes(kind, k)));
        for (uint8_t& c : codes) c = static_cast<uint8_t>(kind == QuantKind::kF8 ? random() % 0x7F : random());
        for (int64_t i = 0; i < n * groups; ++i) {
            scales.push_back(to_f16(0.01f + static_cast<float>(random() % 100) / 100));
            wide_scales.push_back(0.01f + static_cast<float>(random() % 1000) / 997);
            zeros.push_back(static_cast<int8_t>(random() % 16 - 8));
        }
        for (int64_t i = 0; i < k; ++i) columns.push_back(static_cast<int32_t>(k - 1 - i));
        rows.kind = kind;
        rows.codes = codes.data();
        if (kind == QuantKind::kF8) {
            rows.wide_scales = wide_scales.data();
        } else {
            rows.scales = scales.data();
        }
        rows.zeros = with_zeros ? zeros.data() : nullptr;
        rows.columns = permuted ? columns.data() : nullptr;
        rows.levels = kLinearLevels;
        matrix.n = n;
        matrix.k = k;
        matrix.rows = &rows;
    }
};

Weight pack(const std::vector<HostMatrix>& parts, std::vector<std::byte>& storage) {
    Weight weight = plan_weight(parts, WeightUse::kMatmul);
    storage.assign(static_cast<size_t>(weight.bytes), std::byte{0xFF});
    pack_panels(parts, weight, 0, ceil_div(weight.n, kPanelRows), storage.data());
    weight.columns = packed_columns(parts, weight, storage.data());
    weight.data = storage.data();
    return weight;
}

TEST(QuantPanels, EveryRowOfEveryKindComesBack) {
    for (const QuantKind kind : {QuantKind::kQ8, QuantKind::kQ4, QuantKind::kF8}) {
        for (const bool with_zeros : {false, true}) {
            if (with_zeros && kind == QuantKind::kF8) continue;
            for (const bool permuted : {false, true}) {
                for (const auto& [n, k] : {std::pair<int64_t, int64_t>{1, 32}, {16, 64}, {17, 96}, {40, 100}, {5, 33}}) {
                    const Rows rows(kind, n, k, with_zeros, permuted, static_cast<uint32_t>(n + k));
                    std::vector<std::byte> storage;
                    const Weight weight = pack({rows.matrix}, storage);
                    std::vector<float> got(static_cast<size_t>(k)), want(static_cast<size_t>(k));
                    for (int64_t r = 0; r < n; ++r) {
                        unpack_row(weight, r, got.data());
                        dequantize_row(rows.rows, r, k, want.data());
                        ASSERT_EQ(got, want) << name_of(weight.format) << " " << n << "x" << k << " row " << r
                                             << (with_zeros ? ", zeros" : "") << (permuted ? ", permuted" : "");
                    }
                }
            }
        }
    }
}

TEST(QuantPanels, FloatRowsAreQuantisedWhileTheyArePacked) {
    constexpr int64_t kN = 20, kK = 96;
    std::vector<float> values(kN * kK);
    for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i));
    for (const QuantKind kind : {QuantKind::kQ8, QuantKind::kQ4}) {
        HostMatrix matrix{DType::kF32, values.data(), kN, kK};
        matrix.quantize = kind;
        std::vector<std::byte> storage;
        const Weight weight = pack({matrix, matrix}, storage);
        EXPECT_EQ(weight.n, 2 * kN);
        EXPECT_EQ(weight.bytes, 3 * 2 * block_bytes(weight.format, false));
        float row[kK];
        unpack_row(weight, 2 * kN - 1, row);
        for (int64_t i = 0; i < kK; ++i)
            EXPECT_NEAR(row[i], values[static_cast<size_t>((kN - 1) * kK + i)], kind == QuantKind::kQ8 ? 0.005 : 0.13);
    }
}

TEST(QuantPanels, BlocksAreWholeCacheLines) {
    for (const WeightFormat format : {WeightFormat::kQ8, WeightFormat::kQ4, WeightFormat::kF8}) {
        EXPECT_EQ(block_bytes(format, false) % 64, 0);
        EXPECT_EQ(block_bytes(format, true) % 64, 0);
    }
    EXPECT_DOUBLE_EQ(static_cast<double>(block_bytes(WeightFormat::kQ4, false)) * 8 / (16 * 64), 4.5);
    EXPECT_DOUBLE_EQ(static_cast<double>(block_bytes(WeightFormat::kQ8, false)) * 8 / (16 * 64), 8.5);
}

}  // namespace
}  // namespace hearth
