#include "runtime/speculate/ngram_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace hearth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Tokens = std::vector<int32_t>;

TEST(NgramIndex, GuessesWhatFollowedTheSameFourTokens) {
    NgramIndex index;
    const Tokens text = {1, 2, 3, 4, 5, 6, 9, 1, 2, 3, 4};
    const auto guess = index.guess(text, 3);
    EXPECT_THAT(guess.tokens, ElementsAre(5, 6, 9));
    EXPECT_EQ(guess.length, 0);
    EXPECT_EQ(guess.tokens.data(), text.data() + 4) << "a part of what was given";
}

TEST(NgramIndex, TakesFourThatAgreeBeforeTwoThatAgreeLater) {
    NgramIndex index;
    EXPECT_THAT(index.guess(Tokens{1, 2, 3, 4, 5, 8, 3, 4, 7, 1, 2, 3, 4}, 1).tokens, ElementsAre(5));
    NgramIndex other;
    const Tokens two = {1, 2, 3, 4, 5, 8, 3, 4, 7, 6, 3, 4};
    const auto guess = other.guess(two, 1);
    EXPECT_THAT(guess.tokens, ElementsAre(7)) << "the latest of the pairs";
    EXPECT_EQ(guess.length, 1);
}

TEST(NgramIndex, HasNothingToSayOfWhatIsNew) {
    for (const Tokens& text : {Tokens{}, Tokens{1}, Tokens{1, 2}, Tokens{1, 2, 3, 4, 5}, Tokens{1, 2, 2, 1}}) {
        NgramIndex index;
        EXPECT_THAT(index.guess(text, 4).tokens, IsEmpty());
    }
}

TEST(NgramIndex, GoesUpToTheEndOfTheTextAndNoFurtherThanAsked) {
    NgramIndex index;
    const Tokens text(6, 7);
    EXPECT_EQ(index.guess(text, 100).tokens.size(), 1u) << "the four before the last";
    EXPECT_THAT(index.guess(text, 0).tokens, IsEmpty());
}

TEST(NgramIndex, GivesTheSameTokenByTokenAndAtOnce) {
    std::mt19937 random(1);
    Tokens text;
    NgramIndex growing;
    int guesses = 0;
    for (int i = 0; i < 400; ++i) {
        text.push_back(static_cast<int32_t>(random() % 3));
        NgramIndex fresh;
        const auto a = growing.guess(text, 5), b = fresh.guess(text, 5);
        ASSERT_EQ(Tokens(a.tokens.begin(), a.tokens.end()), Tokens(b.tokens.begin(), b.tokens.end())) << i;
        ASSERT_EQ(a.length, b.length);
        guesses += !a.tokens.empty();
        if (a.tokens.empty()) continue;
        const auto at = a.tokens.data() - text.data();
        const int length = NgramIndex::kLengths[a.length];
        for (int back = 1; back <= length; ++back)
            ASSERT_EQ(text[static_cast<size_t>(at - back)], text[text.size() - static_cast<size_t>(back)]);
    }
    EXPECT_GT(guesses, 300);
}

}  // namespace
}  // namespace hearth
