// Files whose steps make much of little: bounded by a factor, not by memory.
#include <gtest/gtest.h>

#include "base/error.h"
#include "loaders/tokenizer/bpe/growth.h"
#include "tests/loaders/tokenizer/tokenizer_data.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::TempFolder;

/// A vocabulary of "a", "b" and "_" with what the test adds.
json small() {
    return json::parse(R"({"normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {"type": "BPE", "unk_token": "?", "vocab": {"?": 0, "a": 1, "b": 2, "_": 3, " ": 4}, "merges": []}})");
}

json sequence(const char* list, const json& step, int count) {
    json out = {{"type", "Sequence"}, {list, json::array()}};
    for (int i = 0; i < count; ++i) out[list].push_back(step);
    return out;
}

std::shared_ptr<const Tokenizer> open(const json& root) {
    const TempFolder folder;
    return open_tokenizer_file(folder.write("tokenizer.json", root.dump()));
}

std::string error_of(const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& e) {
        EXPECT_TRUE(e.kind() == ErrorKind::kTooLarge || e.kind() == ErrorKind::kBadInput) << e.what();
        return e.what();
    }
    return "";
}

json doubling(const std::string& regex_or_string) {
    return {{"type", "Replace"}, {"pattern", {{regex_or_string, "a"}}}, {"content", "aa"}};
}

TEST(Growth, NormaliserThatDoublesSixtyTimesIsStoppedAtTheFactor) {
    for (const char* kind : {"String", "Regex"}) {
        json root = small();
        root["normalizer"] = sequence("normalizers", doubling(kind), 60);
        const auto tokenizer = open(root);
        const std::string what = error_of([&] { tokenizer->encode_plain("aaaa"); });
        EXPECT_NE(what.find("the normaliser makes more than 4352 bytes of 4"), std::string::npos) << what;
        EXPECT_NO_THROW(tokenizer->encode_plain("b"));
    }
}

TEST(Growth, OneStepWithALongReplacementIsStoppedToo) {
    json root = small();
    root["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(1 << 20, 'b')}};
    EXPECT_NE(error_of([&] { open(root)->encode_plain(std::string(100'000, 'a')); }), "");
    root["normalizer"] = {{"type", "Prepend"}, {"prepend", std::string(1 << 20, 'b')}};
    EXPECT_NE(error_of([&] { open(root)->encode_plain("a"); }), "");
}

TEST(Growth, NormalFormsOfRealTextStayBelowTheFactor) {
    for (const char* form : {"NFC", "NFD", "NFKC", "NFKD"}) {
        json root = small();
        root["normalizer"] = {{"type", form}};
        std::string text;
        for (int i = 0; i < 5000; ++i) text += "\xEF\xB7\xBA";  // U+FDFA, which becomes 18 characters
        EXPECT_NO_THROW(open(root)->encode_plain(text)) << form;
    }
}

TEST(Growth, PreTokenizerThatPrependsToEveryPieceIsStopped) {
    json root = small();
    json steps = json::array({{{"type", "Split"}, {"pattern", {{"Regex", "."}}}, {"behavior", "Isolated"}}});
    for (int i = 0; i < 200; ++i) {  // each puts another mark in front of every piece, since the one before it differs
        steps.push_back({{"type", "Metaspace"}, {"replacement", i % 2 == 0 ? "_" : "b"}, {"prepend_scheme", "always"}, {"split", false}});
    }
    root["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", steps}};
    const std::string what = error_of([&] { open(root)->encode_plain(std::string(50'000, 'a')); });
    EXPECT_NE(what.find("the pre-tokenizer makes more than "), std::string::npos) << what;
}

TEST(Growth, MoreStepsThanAnyFileHasAreRefused) {
    json normalizers = small(), pre_tokenizers = small(), decoders = small();
    normalizers["normalizer"] = sequence("normalizers", doubling("String"), 257);
    pre_tokenizers["pre_tokenizer"] = sequence("pretokenizers", {{"type", "Digits"}}, 257);
    decoders["decoder"] = sequence("decoders", doubling("String"), 257);
    for (const json* root : {&normalizers, &pre_tokenizers, &decoders})
        EXPECT_NE(error_of([&] { open(*root); }).find("more than 256 steps"), std::string::npos);
}

TEST(Growth, DecoderThatDoublesIsRefusedWhenTheFileIsRead) {
    json root = small();
    root["decoder"] = sequence("decoders", doubling("String"), 60);
    const std::string what = error_of([&] { open(root); });
    EXPECT_NE(what.find("decoder: makes more than 16 bytes of each of token \"a\""), std::string::npos) << what;
    root["decoder"] = sequence("decoders", doubling("String"), 3);
    EXPECT_EQ(open(root)->token_bytes(1), "aaaaaaaa");
}

}  // namespace
}  // namespace hearth
