#include "kernels/weights/quant_panels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/checked.h"
#include "tests/kernels/quant_matrix.h"

namespace hearth {
namespace {

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
                    const testing::QuantMatrix matrix({kind, with_zeros, permuted, kLinearLevels}, n, k, static_cast<uint32_t>(n + k));
                    std::vector<std::byte> storage;
                    const Weight weight = pack({matrix.host()}, storage);
                    std::vector<float> got(static_cast<size_t>(k)), want(static_cast<size_t>(k));
                    for (int64_t r = 0; r < n; ++r) {
                        unpack_row(weight, r, got.data());
                        dequantize_row(matrix.rows, r, k, want.data());
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
