// How an answer ends.
#include "chat/api/answer.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(Answer, AStopTextNeverTurnsAFailureIntoAnAnswer) {
    for (const FinishReason failure : {FinishReason::kNumericError, FinishReason::kError, FinishReason::kCancelled}) {
        EXPECT_EQ(finish_of(failure, true), failure);
        EXPECT_EQ(finish_of(failure, false), failure);
    }
    EXPECT_EQ(finish_of(FinishReason::kLength, true), FinishReason::kStop);
    EXPECT_EQ(finish_of(FinishReason::kLength, false), FinishReason::kLength);
    EXPECT_EQ(finish_of(FinishReason::kStop, true), FinishReason::kStop);
}

}  // namespace
}  // namespace hearth
