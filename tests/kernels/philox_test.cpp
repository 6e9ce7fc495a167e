#include "kernels/philox.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(Philox, AgreesWithTheKnownAnswersOfItsAuthors) {
    // Random123's kat_vectors, philox4x32 10.
    EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
              (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UniformNumbersFillTheUnitIntervalEvenly) {
    constexpr int kBins = 16, kDraws = 160'000;
    int bins[kBins] = {};
    for (int i = 0; i < kDraws; ++i) {
        const double u = uniform_at(42, i);
        ASSERT_GE(u, 0);
        ASSERT_LT(u, 1);
        ++bins[static_cast<int>(u * kBins)];
    }
    for (const int count : bins) EXPECT_NEAR(count, kDraws / kBins, 500) << "five standard deviations";
}

TEST(Philox, SeedAndPositionEachChangeTheNumber) {
    EXPECT_EQ(uniform_at(1, 7), uniform_at(1, 7));
    EXPECT_NE(uniform_at(1, 7), uniform_at(1, 8));
    EXPECT_NE(uniform_at(1, 7), uniform_at(2, 7));
    EXPECT_NE(uniform_at(1, 7), uniform_at(1 + (uint64_t{1} << 32), 7)) << "the upper half of a seed counts";
}

}  // namespace
}  // namespace hearth
