#include <gtest/gtest.h>

#include "tools/hearth/answer/answer_output.h"

namespace hearth::tool {
namespace {

/// `text` in pieces of `piece` bytes that do not cut characters (all texts here are cut at ASCII), through a window of `columns`.
std::string wrapped(const std::string& text, size_t columns, size_t piece = 1000) {
    WordWrap wrap([columns] { return columns; });
    std::string out;
    for (size_t at = 0; at < text.size(); at += piece) out += wrap.push(std::string_view(text).substr(at, piece));
    return out + wrap.finish();
}

TEST(WordWrap, BreaksBetweenWordsHoweverTheyCome) {
    const std::string text = "Some have no fear at all, and others fear everything that moves.";
    const std::string expected = "Some have no fear at\nall, and others fear\neverything that\nmoves.";
    for (const size_t piece : {1, 2, 3, 5, 7, 100}) EXPECT_EQ(wrapped(text, 20, piece), expected) << piece;
}

TEST(WordWrap, KeepsTheLinesThatTheAnswerHas) {
    EXPECT_EQ(wrapped("a\n\n  b c\n", 20), "a\n\n  b c\n");
    EXPECT_EQ(wrapped("ends in spaces  \nnext", 20), "ends in spaces  \nnext");
}

TEST(WordWrap, LeavesWordsLongerThanALineWhole) {
    const std::string address = "https://example.org/a/very/long/address";
    EXPECT_EQ(wrapped("see " + address + " there", 20), "see\n" + address + "\nthere");
}

TEST(WordWrap, LeavesCodeAsItIs) {
    const std::string code = "```python\nprint('one two three four five six')\n```\n";
    for (const size_t piece : {1, 4, 100}) EXPECT_EQ(wrapped(code + "one two three", 8, piece), code + "one two\nthree") << piece;
}

TEST(WordWrap, CountsColumnsAndNotBytes) {
    EXPECT_EQ(wrapped("äöü äöü äöü", 7), "äöü äöü\näöü");
    EXPECT_EQ(wrapped("日本語日本語", 6), "日本語\n日本語");
}

TEST(WordWrap, BreaksAWholeText) {
    EXPECT_EQ(wrap_lines("  /help   this\n  /quit   leave at once", 16), "  /help   this\n  /quit   leave\nat once");
}

TEST(WordWrap, FollowsTheWindow) {
    size_t columns = 10;
    WordWrap wrap([&] { return columns; });
    EXPECT_EQ(wrap.push("one two three"), "one two");
    columns = 5;
    EXPECT_EQ(wrap.push(" four\nfive six"), "\nthree\nfour\nfive");
    EXPECT_EQ(wrap.finish(), "\nsix");
}

}  // namespace
}  // namespace hearth::tool
