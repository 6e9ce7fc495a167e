// Added tokens with `normalized: true`.
#include <gtest/gtest.h>

#include "tests/loaders/tokenizer/tokenizer_data.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::TempFolder;
using Ids = std::vector<int32_t>;

constexpr int32_t kSpace = 4;  // U+2581

/// Letters, U+2581, and added tokens from id 10 on.
json with(const json& normalizer, const std::vector<json>& added) {
    json root = json::parse(R"({"pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {"type": "BPE", "unk_token": "?", "vocab": {"?": 0, "a": 1, "b": 2, "x": 3, "\u2581": 4, " ": 5, "_": 6}, "merges": []}})");
    root["normalizer"] = normalizer;
    root["added_tokens"] = added;
    return root;
}

json token(int32_t id, const std::string& text, bool special, bool normalized) {
    return {{"id", id}, {"content", text}, {"special", special}, {"normalized", normalized}};
}

json replace(const std::string& from, const std::string& to) {
    return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

/// As Llama's: U+2581 in front, and for every space.
json metaspace() { return {{"type", "Sequence"}, {"normalizers", {{{"type", "Prepend"}, {"prepend", "\u2581"}}, replace(" ", "\u2581")}}}; }

std::shared_ptr<const Tokenizer> open(const json& root) {
    const TempFolder folder;
    return open_tokenizer_file(folder.write("tokenizer.json", root.dump()));
}

TEST(NormalizedTokens, OrdinaryWordsAreFoundInTheNormalisedText) {
    const auto found = open(with(replace("_", " "), {token(10, "a b", false, true)}));
    EXPECT_EQ(found->encode_plain("xa_b"), (Ids{3, 10}));
    EXPECT_EQ(found->encode_plain("xa b"), (Ids{3, 10}));
    const auto raw = open(with(replace("_", " "), {token(10, "a b", false, false)}));
    EXPECT_EQ(raw->encode_plain("xa_b"), (Ids{3, 1, 5, 2}));
    EXPECT_EQ(raw->encode_plain("xa b"), (Ids{3, 10}));
    const auto renamed = open(with(replace("a", "b"), {token(10, "ax", false, true)}));
    EXPECT_EQ(renamed->encode_plain("axbx"), (Ids{10, 10})) << "its own text is normalised too";
}

TEST(NormalizedTokens, WordsInTheRawTextComeFirst) {
    const auto tokenizer = open(with(nullptr, {token(10, "ab", false, true), token(11, "bx", false, false)}));
    EXPECT_EQ(tokenizer->encode_plain("abx"), (Ids{1, 11}));
    EXPECT_EQ(tokenizer->encode_plain("abab"), (Ids{10, 10}));
}

TEST(NormalizedTokens, WordsTakeThePrefixAlongWhereItStands) {
    const auto tokenizer = open(with(metaspace(), {token(10, "a b", false, true)}));
    EXPECT_EQ(tokenizer->encode_plain("a b"), Ids{10});
    EXPECT_EQ(tokenizer->encode_plain("x a bx"), (Ids{kSpace, 3, 10, 3}));
    EXPECT_EQ(tokenizer->encode_plain("xa b"), (Ids{kSpace, 3, 10})) << "the reference misses this one";
}

TEST(NormalizedTokens, SpecialTokensAreFoundBehindAWord) {
    for (const bool normalized : {true, false}) {
        const auto tokenizer = open(with(metaspace(), {token(10, "</s>", true, normalized)}));
        EXPECT_EQ(tokenizer->encode({{"ab</s>", true}}), (Ids{kSpace, 1, 2, 10}));
    }
}

TEST(NormalizedTokens, SpecialTokensLeaveThePrefixToTheWholeText) {
    const auto normalized = open(with(metaspace(), {token(10, "<s>", true, true)})),
               raw = open(with(metaspace(), {token(10, "<s>", true, false)}));
    EXPECT_EQ(normalized->encode({{"<s>ab", true}}), (Ids{10, 1, 2}));
    EXPECT_EQ(raw->encode({{"<s>ab", true}}), (Ids{10, kSpace, 1, 2}));
    EXPECT_EQ(normalized->encode({{"<s> ab", true}}), (Ids{10, kSpace, 1, 2}));
    EXPECT_EQ(normalized->encode({{"a <s>b", true}}), (Ids{kSpace, 1, 10, 2})) << "it takes the space before it along";
    EXPECT_EQ(raw->encode({{"a <s>b", true}}), (Ids{kSpace, 1, kSpace, 10, kSpace, 2}));
    EXPECT_EQ(normalized->encode({{" <s>", true}}), (Ids{kSpace, 10}));
}

TEST(NormalizedTokens, NoSpellingOfASpecialTokenGetsInThroughTheNormaliser) {
    const auto tokenizer = open(with({{"type", "NFKC"}}, {token(10, "<s>", true, true), token(11, "<tool>", false, true)}));
    for (const std::string text : {"<s>", "\uFF1Cs\uFF1E", "<tool>", "\uFF1Ctool\uFF1E"}) {
        for (const int32_t id : tokenizer->encode_plain(text)) EXPECT_LT(id, 10) << text;
    }
    EXPECT_EQ(tokenizer->encode({{"<s><tool>", true}}), (Ids{10, 11}));
}

TEST(NormalizedTokens, OfTheFolderCountToo) {
    const TempFolder folder;
    folder.write("tokenizer.json", with(replace("_", " "), {}).dump());
    folder.write("tokenizer_config.json", json{{"added_tokens_decoder", {{"10", {{"content", "a b"}}}}}}.dump());
    EXPECT_EQ(open_tokenizer(folder.path())->encode_plain("xa_b"), (Ids{3, 10}))
        << "a word that is not special is normalised unless told not to";
}

}  // namespace
}  // namespace hearth
