#include "runtime/schedule/step_cost.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(StepCost, KnowsNothingAtFirst) {
    const StepCost cost;
    EXPECT_EQ(cost.decode_ms(1), 0);
    EXPECT_EQ(cost.prefill_tokens(), 32);
}

TEST(StepCost, LearnsALine) {
    StepCost cost;
    for (int i = 0; i < 200; ++i) cost.add(1 + i % 8, 0, 20 + 3.0 * (1 + i % 8));
    for (const int64_t tokens : {1, 4, 8, 12}) EXPECT_NEAR(cost.decode_ms(tokens), 20 + 3.0 * static_cast<double>(tokens), 0.5) << tokens;
}

TEST(StepCost, FollowsAMachineThatBecomesSlower) {
    StepCost cost;
    for (int i = 0; i < 100; ++i) cost.add(1 + i % 4, 0, 5);
    for (int i = 0; i < 300; ++i) cost.add(1 + i % 4, 0, 15);
    EXPECT_NEAR(cost.decode_ms(2), 15, 0.5);
}

TEST(StepCost, OneStepThatTookForEverMovesLittle) {
    StepCost cost;
    for (int i = 0; i < 100; ++i) cost.add(1 + i % 4, 0, 10);
    cost.add(2, 0, 60'000);
    EXPECT_LT(cost.decode_ms(2), 14) << "counted as four steps' time at most";
}

TEST(StepCost, WhereAllStepsAreOfOneSizeDraftsAreTakenToCostALittle) {
    StepCost cost;
    for (int i = 0; i < 50; ++i) cost.add(1, 0, 10);
    EXPECT_NEAR(cost.decode_ms(1), 10, 1e-6);
    EXPECT_GT(cost.decode_ms(2), 10);
    EXPECT_LT(cost.decode_ms(2), 12);
}

TEST(StepCost, NeverSaysThatMoreTokensTakeLessOrTheFirstNothing) {
    StepCost cost;
    for (int i = 0; i < 50; ++i) cost.add(1 + i % 4, 0, 10.0 - i % 4);  // absurd
    double before = 0;
    for (int64_t tokens = 1; tokens < 20; ++tokens) {
        EXPECT_GE(cost.decode_ms(tokens), before);
        before = cost.decode_ms(tokens);
    }
    EXPECT_GT(cost.decode_ms(1), 0);
}

TEST(StepCost, PromptsGetAHundredMillisecondsOrTwoDecodeStepsAndThirtyTwoTokensAtLeast) {
    const auto tokens_at = [](double token_ms, double decode_ms) {
        StepCost cost;
        if (decode_ms > 0) cost.add(1, 0, decode_ms);
        for (int i = 0; i < 50; ++i) cost.add(0, 100, 100 * token_ms);
        return cost.prefill_tokens();
    };
    EXPECT_NEAR(static_cast<double>(tokens_at(1, 5)), 100, 1);
    EXPECT_NEAR(static_cast<double>(tokens_at(0.25, 5)), 400, 4);
    EXPECT_NEAR(static_cast<double>(tokens_at(1, 150)), 300, 3);
    EXPECT_EQ(tokens_at(50, 5), 32);
    EXPECT_NEAR(static_cast<double>(tokens_at(1e-9, 5)), 1e6, 1) << "no number that overflows";
}

TEST(StepCost, OfAMixedStepThePromptPaysWhatTheDecodesDoNot) {
    StepCost cost;
    for (int i = 0; i < 50; ++i) cost.add(1 + i % 2, 0, 10);
    for (int i = 0; i < 50; ++i) cost.add(2, 45, 10 + 45);
    EXPECT_NEAR(static_cast<double>(cost.prefill_tokens()), 100, 3);
    EXPECT_NEAR(cost.decode_ms(2), 10, 0.5) << "and says nothing of them";
}

}  // namespace
}  // namespace hearth
