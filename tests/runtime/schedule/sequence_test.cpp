#include "runtime/schedule/sequence.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(Sequence, SaysHowMuchOfItsPromptWasFoundInTheCache) {
    Sequence sequence;
    sequence.tokens.assign(12, 0);
    sequence.prompt_tokens = 9;
    const auto now = Sequence::Clock::now();
    EXPECT_EQ(sequence.stats(now).cached_tokens, 0);
    sequence.cached_tokens = 7;
    EXPECT_EQ(sequence.stats(now).cached_tokens, 7);
    EXPECT_EQ(sequence.stats(now).prompt_tokens, 9);
    EXPECT_EQ(sequence.stats(now).generated_tokens, 3);
}

}  // namespace
}  // namespace hearth
