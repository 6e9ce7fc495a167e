// Which weights a thread fetches while it waits.
#include "kernels/cpu/matmul/deal.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

const std::byte* address(uintptr_t value) { return reinterpret_cast<const std::byte*>(value); }

TEST(WeightOrder, KnowsWhatFollowedTheLastTime) {
    WeightOrder order;
    const PanelRuns a{address(0x10000), nullptr, 10, 64}, b{address(0x20000), address(0x30000), 20, 128},
        c{address(0x40000), nullptr, 1, 64};
    for (const PanelRuns& runs : {a, b, c}) EXPECT_EQ(order.followed(runs), PanelRuns{});
    EXPECT_EQ(order.followed(a), b);
    EXPECT_EQ(order.followed(b), c);
    EXPECT_EQ(order.followed(c), a);
    order.followed(a);
    order.followed(c);  // another way from here
    EXPECT_EQ(order.followed(a), c);
}

TEST(WeightOrder, ForgetsRatherThanMixesUpWhenThereAreTooMany) {
    WeightOrder order;
    constexpr uintptr_t kWeights = 5000;
    const auto at = [](uintptr_t i) {
        return PanelRuns{address((i % kWeights + 1) << 16), nullptr, static_cast<int64_t>(i % kWeights), 64};
    };
    int64_t known = 0;
    for (uintptr_t i = 0; i < 3 * kWeights; ++i) {
        const PanelRuns next = order.followed(at(i));
        if (next == PanelRuns{}) continue;
        ++known;
        EXPECT_EQ(next, at(i + 1));
    }
    EXPECT_LT(known, static_cast<int64_t>(2 * kWeights));
}

TEST(FirstPiece, IsWhatAThreadStreamsFirst) {
    constexpr int64_t kPanelBytes = 32 << 10;
    // 64 panels of 32 KiB for two threads: pieces of 4, each in two halves side by side.
    const PanelRuns plain{address(1 << 20), nullptr, 64, kPanelBytes};
    EXPECT_EQ(cpu::first_piece(plain, 0, 2), (Upcoming{{address(1 << 20), address((1 << 20) + 2 * kPanelBytes)}, 2 * kPanelBytes}));
    EXPECT_EQ(cpu::first_piece(plain, 1, 2),
              (Upcoming{{address((1 << 20) + 32 * kPanelBytes), address((1 << 20) + 34 * kPanelBytes)}, 2 * kPanelBytes}));
    // Gate and up: the same panels of both, as many of each as make a piece together.
    const PanelRuns gated{address(1 << 20), address(1 << 26), 64, kPanelBytes};
    EXPECT_EQ(cpu::first_piece(gated, 1, 2),
              (Upcoming{{address((1 << 20) + 32 * kPanelBytes), address((1 << 26) + 32 * kPanelBytes)}, 4 * kPanelBytes}));
}

TEST(FirstPiece, OfFewerPanelsThanThreadsIsSomethingForSomeAndNothingPastTheEnd) {
    const PanelRuns one{address(1 << 20), nullptr, 1, 4096};
    int64_t bytes = 0;
    for (int thread = 0; thread < 4; ++thread) {
        const Upcoming piece = cpu::first_piece(one, thread, 4);
        EXPECT_EQ(piece.from[1], nullptr);
        bytes += piece.bytes;
    }
    EXPECT_EQ(bytes, 4096);
    EXPECT_EQ(cpu::first_piece({}, 0, 2), Upcoming{});
}

TEST(FirstPiece, LeavesRoomInTheCacheWhateverAPanelHas) {
    const PanelRuns wide{address(1 << 20), nullptr, 64, 4 << 20};
    EXPECT_EQ(cpu::first_piece(wide, 0, 2).bytes, 128 << 10);
}

}  // namespace
}  // namespace hearth
