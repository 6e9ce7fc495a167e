#include "perf/compare/verdict.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hearth::perf {
namespace {

const std::vector<double> kBase = {100, 101, 99, 100.5, 99.5};

std::vector<double> scaled(double factor) {
    std::vector<double> out = kBase;
    for (double& value : out) value *= factor;
    return out;
}

TEST(Verdict, SeesAClearDifferenceInEitherDirection) {
    const Judgement faster = judge(kBase, scaled(1.2), 0.02);
    EXPECT_EQ(faster.verdict, Verdict::kFaster);
    EXPECT_NEAR(faster.ratio, 1.2, 0.01);
    EXPECT_GT(faster.low, 1.15);
    EXPECT_LT(faster.high, 1.25);
    EXPECT_EQ(judge(kBase, scaled(0.8), 0.02).verdict, Verdict::kSlower);
}

TEST(Verdict, CallsTheSameWhatLiesWithinTheShare) {
    EXPECT_EQ(judge(kBase, scaled(1.001), 0.03).verdict, Verdict::kSame);
    EXPECT_EQ(judge(kBase, kBase, 0.03).verdict, Verdict::kSame);
}

TEST(Verdict, IsUnclearWhereSamplesScatterMoreThanTheyDiffer) {
    EXPECT_EQ(judge({80, 100, 120, 90, 110}, {85, 108, 126, 95, 113}, 0.02).verdict, Verdict::kUnclear);
    EXPECT_EQ(judge({80, 100, 120, 90, 110}, {80, 100, 120, 90, 110}, 0.02).verdict, Verdict::kUnclear)
        << "not known to be the same either";
}

TEST(Verdict, IsUnclearWithTooFewSamplesHoweverFarApart) {
    EXPECT_EQ(judge({100}, {200}, 0.02).verdict, Verdict::kUnclear);
    EXPECT_EQ(judge({100, 101, 99, 100, 100}, {200, 201}, 0.02).verdict, Verdict::kUnclear) << "fewer than three";
    const Judgement three = judge({100, 101, 99}, {200, 201, 199}, 0.02);
    EXPECT_EQ(three.verdict, Verdict::kUnclear) << "3 and 3 come out in order by chance in one case of ten";
    EXPECT_NEAR(three.ratio, 2, 0.02);
    EXPECT_TRUE(std::isinf(three.high));
    EXPECT_EQ(judge({100, 101, 99}, {200, 201, 199, 200}, 0.02).verdict, Verdict::kUnclear) << "two cases of 35";
    EXPECT_EQ(judge({100, 101, 99}, {200, 201, 199, 200, 202}, 0.02).verdict, Verdict::kFaster) << "two cases of 56";
    EXPECT_EQ(judge({100, 101, 99, 100}, {200, 201, 199, 200}, 0.02).verdict, Verdict::kFaster) << "two cases of 70";
    EXPECT_EQ(judge({}, {1, 2, 3}, 0.02).verdict, Verdict::kUnclear);
}

/// Critical values of the rank-sum test for two samples of 5: the interval runs from the 3rd of 25 ratios to the 3rd from the end.
TEST(Verdict, TakesTheIntervalOfTheExactRankSumTest) {
    const std::vector<double> ones(5, 1.0), b = {1, 2, 3, 4, 5};
    const Judgement judgement = judge(ones, b, 0);
    EXPECT_EQ(judgement.low, 1);  // ratios: five of each number
    EXPECT_EQ(judgement.high, 5);
    EXPECT_EQ(judgement.ratio, 3);
    std::vector<double> powers_a, powers_b;  // all 25 ratios differ: 2^(5j - i)
    for (int i = 0; i < 5; ++i) powers_a.push_back(std::exp2(i)), powers_b.push_back(std::exp2(5 * i));
    const Judgement spread = judge(powers_a, powers_b, 0);
    EXPECT_EQ(spread.low, std::exp2(-2));
    EXPECT_EQ(spread.high, std::exp2(18));
    EXPECT_EQ(spread.ratio, std::exp2(8));
}

TEST(Verdict, HoldsForLargeSamplesAsForSmallOnes) {
    std::vector<double> a, b;
    for (int i = 0; i < 200; ++i) a.push_back(100 + i % 20), b.push_back(112 + (i * 7) % 20);
    EXPECT_EQ(judge(a, b, 0.02).verdict, Verdict::kFaster);
    EXPECT_EQ(judge(b, a, 0.02).verdict, Verdict::kSlower);
    EXPECT_EQ(judge(a, a, 0.02).verdict, Verdict::kSame);
}

TEST(Verdict, NeedsADifferenceLargerThanTheShare) {
    const std::vector<double> sharp = {1000, 1001, 999, 1000, 1000};
    std::vector<double> little = sharp;
    for (double& value : little) value *= 1.015;
    EXPECT_EQ(judge(sharp, little, 0.02).verdict, Verdict::kSame);
    EXPECT_EQ(judge(sharp, little, 0.01).verdict, Verdict::kFaster);
}

}  // namespace
}  // namespace hearth::perf
