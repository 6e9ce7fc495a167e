#include "chat/api/stop_strings.h"

#include <gtest/gtest.h>

#include <random>

namespace hearth {
namespace {

TEST(StopStrings, HoldsBackOnlyWhatMayBeABeginning) {
    StopStrings stops({"END"});
    EXPECT_EQ(stops.push("abc"), "abc");
    EXPECT_EQ(stops.push("dE"), "d");
    EXPECT_EQ(stops.push("N"), "");
    EXPECT_EQ(stops.push("x"), "ENx");
    EXPECT_EQ(stops.push("E"), "");
    EXPECT_EQ(stops.push("ND tail"), "");
    EXPECT_TRUE(stops.hit());
    EXPECT_EQ(stops.push("more"), "");
    EXPECT_EQ(stops.finish(), "");
}

TEST(StopStrings, GivesBackWhatItHeldWhenTheAnswerEnds) {
    StopStrings stops({"END"});
    EXPECT_EQ(stops.push("the EN"), "the ");
    EXPECT_EQ(stops.finish(), "EN");
    EXPECT_FALSE(stops.hit());
}

TEST(StopStrings, TakesTheEarliestOfSeveral) {
    StopStrings stops({"later", "la", "xyz"});
    EXPECT_EQ(stops.push("see you later xyz"), "see you ");
    EXPECT_TRUE(stops.hit());
}

TEST(StopStrings, FindsWhatOverlapsItself) {
    StopStrings stops({"aab"});
    std::string out;
    for (const char c : std::string("aaaaab!")) out += stops.push(std::string(1, c));
    EXPECT_EQ(out, "aaa");
    EXPECT_TRUE(stops.hit());
}

TEST(StopStrings, WithoutAnyEverythingPasses) {
    StopStrings stops({});
    EXPECT_EQ(stops.push("abc"), "abc");
    EXPECT_EQ(stops.finish(), "");
}

TEST(StopStrings, GivesTheSameHoweverTheTextIsCut) {
    std::mt19937 random(3);
    for (int round = 0; round < 5000; ++round) {
        std::string text;
        for (int i = 0; i < 30; ++i) text += static_cast<char>('a' + random() % 2);
        std::vector<std::string> list(1 + random() % 3);
        for (auto& stop : list) {
            for (size_t i = 0, n = 2 + random() % 6; i < n; ++i) stop += static_cast<char>('a' + random() % 2);
        }
        // The stop string whose last byte comes first, as a reader of single bytes would find it; of those the longest.
        size_t first_end = std::string::npos, begin = 0;
        for (size_t end = 1; end <= text.size() && first_end == std::string::npos; ++end) {
            for (const auto& stop : list) {
                if (stop.size() > end || text.compare(end - stop.size(), stop.size(), stop) != 0) continue;
                begin = first_end == std::string::npos ? end - stop.size() : std::min(begin, end - stop.size());
                first_end = end;
            }
        }
        StopStrings by_byte(list);
        std::string out;
        for (const char c : text) out += by_byte.push(std::string(1, c));
        out += by_byte.finish();
        EXPECT_EQ(by_byte.hit(), first_end != std::string::npos);
        EXPECT_EQ(out, first_end == std::string::npos ? text : text.substr(0, begin)) << text;
    }
}

}  // namespace
}  // namespace hearth
