#include "kernels/weights/quant.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "base/checked.h"

namespace hearth {
namespace {

struct Quantized {
    std::vector<uint8_t> codes;
    std::vector<F16> scales;
    QuantRows rows;

    Quantized(QuantKind kind, const std::vector<float>& w, const float* importance = nullptr)
        : codes(static_cast<size_t>(code_bytes(kind, std::ssize(w)))),
          scales(static_cast<size_t>(ceil_div<int64_t>(std::ssize(w), kQuantGroup))) {
        quantize_row(kind, w, importance, {codes, scales});
        rows.kind = kind;
        rows.codes = codes.data();
        rows.scales = scales.data();
    }

    std::vector<float> back(int64_t k) const {
        std::vector<float> out(static_cast<size_t>(k));
        dequantize_row(rows, 0, k, out.data());
        return out;
    }
};

std::vector<float> normal_numbers(int64_t count, uint32_t seed, float scale = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, scale);
    std::vector<float> w(static_cast<size_t>(count));
    for (float& x : w) x = normal(random);
    return w;
}

double mean_squared_error(const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    return sum / static_cast<double>(a.size());
}

TEST(Quant, Q8IsWithinHalfAStepEverywhere) {
    for (const int64_t k : {1, 31, 32, 33, 64, 1000}) {
        const auto w = normal_numbers(k, static_cast<uint32_t>(k), 0.05f);
        const Quantized q(QuantKind::kQ8, w);
        const auto back = q.back(k);
        for (int64_t i = 0; i < k; ++i) {
            const float step = to_float(q.scales[static_cast<size_t>(i / kQuantGroup)]);
            ASSERT_LE(std::abs(back[static_cast<size_t>(i)] - w[static_cast<size_t>(i)]), 0.51f * std::abs(step))
                << "k " << k << " at " << i;
        }
    }
}

TEST(Quant, Q4ReachesTheErrorThatItsTableWasMadeFor) {
    const auto w = normal_numbers(32 * 4000, 7);
    EXPECT_LT(mean_squared_error(Quantized(QuantKind::kQ4, w).back(std::ssize(w)), w), 0.00545)
        << "0.00533 with an exhaustive search of scales";
    EXPECT_GT(mean_squared_error(Quantized(QuantKind::kQ4, w).back(std::ssize(w)), w), 0.0050)
        << "better than its table allows: the test is wrong";
}

TEST(Quant, ImportantColumnsAreKeptBetter) {
    const auto w = normal_numbers(32 * 500, 3);
    std::vector<float> importance(w.size(), 1);
    for (size_t i = 0; i < w.size(); i += 8) importance[i] = 100;
    const auto plain = Quantized(QuantKind::kQ4, w).back(std::ssize(w)),
               weighted = Quantized(QuantKind::kQ4, w, importance.data()).back(std::ssize(w));
    double plain_error = 0, weighted_error = 0;
    for (size_t i = 0; i < w.size(); i += 8) {
        plain_error += (plain[i] - w[i]) * (plain[i] - w[i]);
        weighted_error += (weighted[i] - w[i]) * (weighted[i] - w[i]);
    }
    EXPECT_LT(weighted_error, 0.8 * plain_error);
}

TEST(Quant, ZerosStayNearZeroAndNothingBecomesNaN) {
    for (const QuantKind kind : {QuantKind::kQ8, QuantKind::kQ4}) {
        for (const float x : Quantized(kind, std::vector<float>(40, 0.0f)).back(40)) EXPECT_EQ(x, 0);
        std::vector<float> tiny(32, 1e-12f), spike(32, 0.0f);
        spike[5] = -3;
        for (const float x : Quantized(kind, tiny).back(32)) EXPECT_TRUE(std::isfinite(x));
        EXPECT_NEAR(Quantized(kind, spike).back(32)[5], -3, 0.05);
    }
}

TEST(Quant, ZeroPointsAndPermutationsOfOtherFormatsAreApplied) {
    const uint8_t codes[] = {0x21, 0x43};
    const F16 scale = to_f16(0.5f);
    const int8_t zero = 1;
    const int32_t columns[] = {3, 2, 1, 0};
    QuantRows rows;
    rows.kind = QuantKind::kQ4;
    rows.codes = codes;
    rows.scales = &scale;
    rows.zeros = &zero;
    rows.columns = columns;
    rows.levels = kLinearLevels;
    float out[4];
    dequantize_row(rows, 0, 4, out);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(out[3 - i], 0.5f * static_cast<float>(i + 1 - 8 - 1));
}

TEST(Quant, HalfPrecisionRoundsToNearestEvenOverItsWholeRange) {
    for (uint32_t bits = 0; bits < 0x7C00; ++bits) {
        const F16 h{static_cast<uint16_t>(bits)};
        ASSERT_EQ(to_f16(to_float(h)).bits, bits);
        ASSERT_EQ(to_f16(-to_float(h)).bits, bits | 0x8000);
        if (bits + 1 == 0x7C00) continue;
        const float next = to_float(F16{static_cast<uint16_t>(bits + 1)}), middle = 0.5f * (to_float(h) + next);
        ASSERT_EQ(to_f16(middle).bits, bits % 2 == 0 ? bits : bits + 1) << "a tie goes to the even one";
    }
    EXPECT_EQ(to_f16(65519.0f).bits, 0x7BFF);
    EXPECT_EQ(to_f16(65520.0f).bits, 0x7C00);
    EXPECT_EQ(to_f16(-INFINITY).bits, 0xFC00);
}

}  // namespace
}  // namespace hearth
