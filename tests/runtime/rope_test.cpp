#include "runtime/rope.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

namespace hearth {
namespace {

// Numbers worked out in double precision from the published formulas, by a program of its own.
void expect_near_all(const std::vector<float>& got, const std::vector<double>& want) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(double{got[i]}, want[i], 4e-7 * want[i]) << "pair " << i;
}

void expect_near_at(const std::vector<float>& got, const std::vector<std::pair<size_t, double>>& want) {
    for (const auto& [pair, value] : want) EXPECT_NEAR(double{got.at(pair)}, value, 2e-6 * value) << "pair " << pair;
}

RopeConfig of_kind(RopeConfig::Kind kind, double theta, double factor, double original) {
    RopeConfig rope;
    rope.kind = kind;
    rope.theta = theta;
    rope.factor = factor;
    rope.original_context = original;
    return rope;
}

TEST(RopeFrequencies, FallGeometricallyByDefault) {
    expect_near_all(rope_frequencies({}, 16), {1, 0.316227766, 0.1, 0.0316227766, 0.01, 0.00316227766, 0.001, 0.000316227766});
}

TEST(RopeFrequencies, AreDividedByTheFactorWhenLinear) {
    expect_near_all(rope_frequencies(of_kind(RopeConfig::Kind::kLinear, 10000, 4, 0), 16),
                    {0.25, 0.0790569415, 0.025, 0.00790569415, 0.0025, 0.000790569415, 0.00025, 7.90569415e-05});
}

TEST(RopeFrequencies, StretchLongWavesByTheRuleOfLlama3) {
    expect_near_all(
        rope_frequencies(of_kind(RopeConfig::Kind::kLlama3, 500000, 8, 32), 16),
        {1, 0.02424034309, 0.004700753866, 0.0009115830922, 0.0001767766953, 3.428102196e-05, 6.647869871e-06, 1.289173172e-06});
}

TEST(RopeFrequencies, BlendInTheMiddleOfLlama3sRange) {
    expect_near_at(rope_frequencies(of_kind(RopeConfig::Kind::kLlama3, 500000, 8, 8192), 128), {{0, 1},
                                                                                                {10, 0.1286873734},
                                                                                                {28, 0.003211445995},
                                                                                                {29, 0.002166570764},
                                                                                                {32, 0.000524846161},
                                                                                                {36, 7.784655274e-05},
                                                                                                {38, 5.165906875e-05},
                                                                                                {63, 3.068925989e-07}});
}

TEST(RopeFrequencies, RampFromKeptToInterpolatedByYarn) {
    expect_near_all(rope_frequencies(of_kind(RopeConfig::Kind::kYarn, 10000, 4, 64), 16),
                    {1, 0.2371708245, 0.05, 0.00790569415, 0.0025, 0.000790569415, 0.00025, 7.90569415e-05});
    RopeConfig rope = of_kind(RopeConfig::Kind::kYarn, 10000, 4, 4096);
    expect_near_at(rope_frequencies(rope, 64),
                   {{0, 1}, {5, 0.2371373706}, {12, 0.02797399469}, {16, 0.006538461538}, {20, 0.001337886702}, {31, 3.33380358e-05}});
    rope.truncate = false;
    expect_near_at(rope_frequencies(rope, 64),
                   {{5, 0.2371373706}, {12, 0.02861360881}, {16, 0.006556971521}, {20, 0.001285632031}, {25, 0.0001874735523}});
}

TEST(RopeFrequencies, SurviveAYarnRangeOfNoWidth) {
    RopeConfig rope = of_kind(RopeConfig::Kind::kYarn, 10000, 4, 1);  // every pair is past the range: low = high = 0
    rope.beta_fast = rope.beta_slow = 1;
    for (const float f : rope_frequencies(rope, 8)) EXPECT_TRUE(std::isfinite(f) && f > 0);
}

TEST(RopeTable, HoldsCosinesThenSinesOfEachPosition) {
    const int64_t head_dim = 16, positions = 5000;
    const std::vector<float> table = rope_table({}, head_dim, positions);
    ASSERT_EQ(table.size(), static_cast<size_t>(head_dim * positions));
    for (const int64_t p : {0, 1, 31, 32, 4096, 4999}) {
        for (int64_t i = 0; i < head_dim / 2; ++i) {
            const double angle = static_cast<double>(p) * std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
            const double rounding = 1e-7 * (1 + angle);  // the angle is a float32
            EXPECT_NEAR(double{table[static_cast<size_t>(p * head_dim + i)]}, std::cos(angle), rounding)
                << "position " << p << ", pair " << i;
            EXPECT_NEAR(double{table[static_cast<size_t>(p * head_dim + head_dim / 2 + i)]}, std::sin(angle), rounding)
                << "position " << p << ", pair " << i;
        }
    }
}

TEST(RopeTable, MultipliesByYarnsAttentionFactorAndNoOther) {
    RopeConfig rope = of_kind(RopeConfig::Kind::kYarn, 10000, 4, 64);
    rope.attention_factor = 1.25;
    EXPECT_FLOAT_EQ(rope_table(rope, 16, 1)[0], 1.25f);
    rope.kind = RopeConfig::Kind::kLinear;
    EXPECT_FLOAT_EQ(rope_table(rope, 16, 1)[0], 1.0f);
}

}  // namespace
}  // namespace hearth
