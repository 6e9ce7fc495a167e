#include "tools/hearth/perplexity/divergence.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace hearth::tool {
namespace {

std::vector<float> logs(const std::vector<double>& probabilities) {
    std::vector<float> out;
    for (const double p : probabilities) out.push_back(static_cast<float>(std::log(p)));
    return out;
}

TEST(Divergence, OfThreeTokensIsWhatPaperAndPencilSay) {
    // 1/2 ln 2 + 1/4 ln 1/2 + 1/4 ln 1 = 1/4 ln 2
    EXPECT_NEAR(divergence(logs({0.5, 0.25, 0.25}), logs({0.25, 0.5, 0.25})), 0.25 * std::log(2.0), 1e-7);
    // not symmetric: 9/10 ln(9/5) + 1/10 ln(1/5) one way, 1/2 ln(5/9) + 1/2 ln 5 the other
    EXPECT_NEAR(divergence(logs({0.9, 0.1}), logs({0.5, 0.5})), 0.9 * std::log(1.8) + 0.1 * std::log(0.2), 1e-7);
    EXPECT_NEAR(divergence(logs({0.5, 0.5}), logs({0.9, 0.1})), 0.5 * std::log(5.0 / 9) + 0.5 * std::log(5.0), 1e-7);
}

TEST(Divergence, FromItselfIsNothing) {
    const auto row = logs({0.1, 0.2, 0.3, 0.4});
    EXPECT_EQ(divergence(row, row), 0);
}

TEST(Likeliest, IsTheFirstOfThose) {
    EXPECT_EQ(likeliest(std::array{-3.0f, -1.0f, -1.0f, -2.0f}), 1);
    EXPECT_EQ(likeliest(std::array{-0.0f}), 0);
}

TEST(Percentile, LiesBetweenTwoValuesInProportion) {
    const std::array values{1.0, 2.0, 4.0, 8.0, 16.0};
    EXPECT_EQ(percentile(values, 0), 1);
    EXPECT_EQ(percentile(values, 0.5), 4);
    EXPECT_EQ(percentile(values, 0.75), 8);
    EXPECT_DOUBLE_EQ(percentile(values, 0.9), 8 + 0.6 * 8);
    EXPECT_EQ(percentile(values, 1), 16);
    EXPECT_DOUBLE_EQ(percentile(std::array{1.0, 2.0}, 0.5), 1.5);
    EXPECT_EQ(percentile(std::array{7.0}, 0.99), 7);
    std::vector<double> hundred;
    for (int i = 0; i <= 100; ++i) hundred.push_back(i);
    EXPECT_DOUBLE_EQ(percentile(hundred, 0.99), 99);
}

TEST(MeanOf, HasTheStandardErrorOfASample) {
    const Mean mean = mean_of(std::array{1.0, 2.0, 3.0, 6.0});  // deviations -2, -1, 0, 3: 14 / 3 / 4
    EXPECT_DOUBLE_EQ(mean.value, 3);
    EXPECT_DOUBLE_EQ(mean.error, std::sqrt(14.0 / 12));
    EXPECT_EQ(mean_of(std::array{5.0}).value, 5);
    EXPECT_EQ(mean_of(std::array{5.0}).error, 0);
    EXPECT_EQ(mean_of({}).value, 0);
}

TEST(Summarize, PutsTokensTogether) {
    const std::array<TokenComparison, 4> tokens{{{0.1, 2, 2.5, true}, {0.4, 1, 0.5, false}, {0.2, 3, 4, true}, {0.3, 2, 2, true}}};
    const DivergenceSummary out = summarize(tokens);
    EXPECT_EQ(out.tokens, 4);
    EXPECT_DOUBLE_EQ(out.divergence.value, 0.25);
    EXPECT_DOUBLE_EQ(out.median, 0.25);
    EXPECT_DOUBLE_EQ(out.p90, 0.3 + 0.7 * (0.4 - 0.3));
    EXPECT_DOUBLE_EQ(out.p99, 0.3 + 0.97 * (0.4 - 0.3));
    EXPECT_EQ(out.largest, 0.4);
    EXPECT_DOUBLE_EQ(out.same_top.value, 0.75);
    EXPECT_DOUBLE_EQ(out.same_top.error, 0.25);  // sqrt(0.75 / 3 / 4)
    EXPECT_DOUBLE_EQ(out.nll_change.value, 0.25);
    EXPECT_DOUBLE_EQ(out.base_nll, 2);
    EXPECT_DOUBLE_EQ(out.own_nll, 2.25);
    EXPECT_EQ(summarize({}).tokens, 0);
}

}  // namespace
}  // namespace hearth::tool
