#include "kernels/composite/routing.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hearth {
namespace {

TEST(Routing, TakesTheLargestAndSharesOneAmongThem) {
    const float logits[] = {0, 3, 1, 2};
    int32_t ids[2];
    float probabilities[2];
    route(logits, 4, 2, true, ids, probabilities);
    EXPECT_EQ(ids[0], 1);
    EXPECT_EQ(ids[1], 3);
    EXPECT_NEAR(probabilities[0], 1 / (1 + std::exp(-1.0)), 1e-6);
    EXPECT_NEAR(probabilities[0] + probabilities[1], 1, 1e-6);
}

TEST(Routing, WithoutRenormalizingTheOthersKeepTheirShare) {
    const float logits[] = {0, 0, 0, 0};
    int32_t ids[2];
    float probabilities[2];
    route(logits, 4, 2, false, ids, probabilities);
    EXPECT_EQ(ids[0], 0) << "the lower number among equals";
    EXPECT_EQ(ids[1], 1);
    EXPECT_NEAR(probabilities[0], 0.25, 1e-6);
}

TEST(Routing, SurvivesNumbersThatAreNone) {
    const float logits[] = {NAN, NAN, NAN};
    int32_t ids[3];
    float probabilities[3];
    route(logits, 3, 3, true, ids, probabilities);
    for (const int32_t id : ids) EXPECT_TRUE(id >= 0 && id < 3) << "experts are looked up by these";
}

}  // namespace
}  // namespace hearth
