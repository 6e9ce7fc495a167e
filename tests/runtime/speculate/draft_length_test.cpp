#include "runtime/speculate/draft_length.h"

#include <gtest/gtest.h>

#include "runtime/speculate/speculation.h"

namespace hearth {
namespace {

/// Steps of 10 ms and so much for each token.
StepCost line(double token_ms) {
    StepCost cost;
    for (int i = 0; i < 60; ++i) {
        for (const int64_t tokens : {1, 4, 9}) cost.add(tokens, 0, 10 + token_ms * static_cast<double>(tokens));
    }
    return cost;
}

TEST(DraftLength, IsNoneWhereNothingIsKnownOrNothingIsWon) {
    EXPECT_EQ(best_draft_length(0.9, 16, 0, StepCost{}), 0);
    EXPECT_EQ(best_draft_length(0, 16, 0, line(0)), 0);
    EXPECT_EQ(best_draft_length(0.9, 0, 0, line(0)), 0);
    EXPECT_EQ(best_draft_length(0.5, 16, 0, line(50)), 0) << "a token takes nearly what a step takes";
    EXPECT_EQ(best_draft_length(0.6, 16, 0, line(0.01), 20), 0) << "a draft takes twice what a step takes";
}

TEST(DraftLength, IsAllWhereTokensCostNothingAndAreSurelyKept) { EXPECT_EQ(best_draft_length(1, 16, 0, line(0)), 16); }

TEST(DraftLength, GrowsWithTheRateAndShrinksWithWhatTokensTake) {
    int64_t before = 0;
    for (const double rate : {0.2, 0.5, 0.7, 0.9, 0.99}) {
        const int64_t length = best_draft_length(rate, 16, 0, line(0.5));
        EXPECT_GE(length, before) << rate;
        before = length;
    }
    EXPECT_GT(before, 8);
    before = 16;
    for (const double token_ms : {0.1, 1.0, 3.0, 200.0}) {
        const int64_t length = best_draft_length(0.8, 16, 0, line(token_ms));
        EXPECT_LE(length, before) << token_ms;
        before = length;
    }
    EXPECT_LE(before, 1);
}

TEST(DraftLength, IsTheBestOfAllByTheFormula) {
    const StepCost cost = line(0.7);
    const auto speed = [&](int64_t k, double rate) {
        double tokens = 0;
        for (double p = 1, i = 0; i <= static_cast<double>(k); ++i, p *= rate) tokens += p;
        return tokens / cost.decode_ms(1 + k);
    };
    for (const double rate : {0.5, 0.8, 0.95}) {
        const int64_t length = best_draft_length(rate, 16, 0, cost);
        ASSERT_GT(length, 0);
        for (int64_t k = 1; k <= 16; ++k) EXPECT_LE(speed(k, rate), speed(length, rate) * (1 + 1e-9)) << rate << ", " << k;
    }
}

TEST(Acceptance, FollowsWhatIsKeptAndStaysBetweenNoneAndAll) {
    Acceptance all, none;
    EXPECT_NEAR(all.rate(), 0.6, 1e-9) << "drafting is tried";
    all.add(0, 0);
    EXPECT_NEAR(all.rate(), 0.6, 1e-9);
    for (int i = 0; i < 100; ++i) {
        all.add(8, 8);
        none.add(8, 0);
        EXPECT_LE(all.rate(), 1);
        EXPECT_GE(none.rate(), 0);
    }
    EXPECT_GT(all.rate(), 0.99);
    EXPECT_LT(none.rate(), 0.01);
}

TEST(Acceptance, WhatStandsBehindTheFirstRefusedSaysNothing) {
    Acceptance few, many;
    few.add(3, 2);
    many.add(16, 2);
    EXPECT_EQ(few.rate(), many.rate());
}

TEST(Speculation, DraftsGrowWhileAllIsKeptAndShrinkToWhatWas) {
    Speculation speculation;
    speculation.learn(2, 2);
    EXPECT_EQ(speculation.longest, 4);
    speculation.learn(4, 4);
    EXPECT_EQ(speculation.longest, 8);
    speculation.learn(8, 5);
    EXPECT_EQ(speculation.longest, 6);
    speculation.learn(6, 0);
    EXPECT_EQ(speculation.longest, Speculation::kFirstLength);
}

}  // namespace
}  // namespace hearth
