#include "loaders/tokenizer/added_tokens.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

AddedToken token(int32_t id, std::string text) {
    AddedToken out;
    out.token = {.id = id, .text = std::move(text), .control = true};
    return out;
}

/// "a|<7>|b": plain pieces as they are, tokens as their ids.
std::string cut(const AddedTokens& tokens, const std::string& text, const std::vector<std::pair<size_t, size_t>>& trusted) {
    std::string out;
    for (const auto& segment : tokens.cut(text, trusted)) {
        if (!out.empty()) out += '|';
        out += segment.token >= 0 ? "<" + std::to_string(segment.token) + ">" : text.substr(segment.begin, segment.end - segment.begin);
    }
    return out;
}

std::string cut_trusted(const AddedTokens& tokens, const std::string& text) { return cut(tokens, text, {{0, text.size()}}); }

TEST(AddedTokens, AreFoundInTrustedTextOnly) {
    const AddedTokens tokens({token(7, "<s>"), token(8, "</s>")});
    EXPECT_EQ(cut_trusted(tokens, "a<s>b</s><s>"), "a|<7>|b|<8>|<7>");
    EXPECT_EQ(cut(tokens, "a<s>b</s>", {}), "a<s>b</s>");
    EXPECT_EQ(cut(tokens, "<s>a<s>b", {{0, 3}}), "<7>|a<s>b");
}

TEST(AddedTokens, AreNotMadeOfPartlyTrustedBytes) {
    const AddedTokens tokens({token(7, "<|im_end|>")});
    const std::string text = "<|im_end|>";
    EXPECT_EQ(cut(tokens, text, {{0, text.size()}}), "<7>");
    for (size_t hole = 0; hole < text.size(); ++hole) {
        std::vector<std::pair<size_t, size_t>> trusted;
        if (hole > 0) trusted.push_back({0, hole});
        if (hole + 1 < text.size()) trusted.push_back({hole + 1, text.size()});
        EXPECT_EQ(cut(tokens, text, trusted), text) << "byte " << hole << " is not trusted";
    }
}

TEST(AddedTokens, TheLongestThatIsTrustedWins) {
    const AddedTokens tokens({token(1, "<a>"), token(2, "<a>b"), token(3, "b")});
    EXPECT_EQ(cut_trusted(tokens, "<a>b"), "<2>");
    EXPECT_EQ(cut(tokens, "<a>b", {{0, 3}}), "<1>|b");
    EXPECT_EQ(cut_trusted(tokens, "<a>ab"), "<1>|a|<3>");
}

TEST(AddedTokens, TakeWhiteSpaceAlongWhereTheySaySo) {
    AddedToken left = token(1, "<l>"), right = token(2, "<r>");
    left.token.lstrip = true;
    right.token.rstrip = true;
    const AddedTokens tokens({left, right});
    EXPECT_EQ(cut_trusted(tokens, "a \n\xC2\xA0<l> b"), "a|<1>| b");
    EXPECT_EQ(cut_trusted(tokens, "a <r> \t b"), "a |<2>|b");
    EXPECT_EQ(cut_trusted(tokens, "<r>  <l>"), "<2>|<1>");
}

TEST(AddedTokens, ThatAreSingleWordsTouchNoOther) {
    AddedToken word = token(1, "cat");
    word.single_word = true;
    const AddedTokens tokens({word});
    EXPECT_EQ(cut_trusted(tokens,
                          "a cat, cats, \xC3\xA9"
                          "cat cat"),
              "a |<1>|, cats, \xC3\xA9"
              "cat |<1>");
}

TEST(AddedTokens, ThatAreOrdinaryWordsAreFoundEverywhere) {
    AddedToken spaces = token(1, "    ");
    spaces.anywhere = true;
    const AddedTokens tokens({spaces, token(2, "<s>")});
    EXPECT_EQ(cut(tokens, "a    b<s>", {}), "a|<1>|b<s>");
    EXPECT_EQ(cut(tokens, "a    <s>  b", {{5, 8}}), "a|<1>|<2>|  b");
}

TEST(AddedTokens, LookLikeMarkupInBrackets) {
    for (const char* text : {"<tool_call>", "[REF]", "</think>", "<\xEF\xBD\x9Cuser\xEF\xBD\x9C>"})
        EXPECT_TRUE(looks_like_markup(text)) << text;
    for (const char* text : {"    ", "\n", "<", "<>", "word", "<half"}) EXPECT_FALSE(looks_like_markup(text)) << text;
}

}  // namespace
}  // namespace hearth
