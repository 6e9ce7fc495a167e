// tokenizer.json in small: every component, every refusal.
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/loaders/tokenizer/tokenizer_data.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::TempFolder;
using Ids = std::vector<int32_t>;

/// Characters a, b, c, space as U+2581, and two merges.
json small() {
    return json::parse(R"({
        "added_tokens": [{"id": 9, "content": "<s>", "special": true}, {"id": 10, "content": "<call>", "special": false}],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": false, "byte_fallback": false,
                  "vocab": {"<unk>": 0, "a": 1, "b": 2, "c": 3, "\u2581": 4, "ab": 5, "abc": 6, "\u2581ab": 7},
                  "merges": ["a b", ["ab", "c"], "\u2581 ab"]}})");
}

std::shared_ptr<const Tokenizer> open(const json& root) {
    const TempFolder folder;
    return open_tokenizer_file(folder.write("tokenizer.json", root.dump()));
}

std::string error_of(const std::string& content) {
    const TempFolder folder;
    const auto path = folder.write("tokenizer.json", content);
    try {
        open_tokenizer_file(path);
    } catch (const Error& e) {
        const std::string what = e.what();
        EXPECT_EQ(what.find(path.string()), 0u) << "the file comes first: " << what;
        return what;
    }
    return "";
}

std::string error_of(const json& root) { return error_of(root.dump()); }

TEST(TokenizerJson, MergesGivenAsStringsAndAsPairs) {
    const auto tokenizer = open(small());
    EXPECT_EQ(tokenizer->encode_plain("abcab"), (Ids{6, 5}));
    EXPECT_EQ(tokenizer->encode_plain(""), Ids{});
    EXPECT_EQ(tokenizer->kind(), "tokenizer.json");
    EXPECT_EQ(tokenizer->vocab_size(), 11);
    EXPECT_EQ(tokenizer->token_name(6), "abc");
    EXPECT_EQ(tokenizer->token_bytes(99), "");
    EXPECT_EQ(tokenizer->token_bytes(-1), "");
}

/// The small vocabulary with byte tokens, all but `without`, from id 100 on.
json with_bytes(int without) {
    json root = small();
    root["model"]["byte_fallback"] = true;
    for (int byte = 0; byte < 256; ++byte) {
        char text[8];
        std::snprintf(text, sizeof text, "<0x%02X>", byte);
        if (byte != without) root["model"]["vocab"][text] = 100 + byte;
    }
    root["decoder"] = json::parse(R"({"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}]})");
    return root;
}

TEST(TokenizerJson, ByteFallbackIsDecidedForEachCharacter) {
    const auto all = open(with_bytes(-1)), no_newline = open(with_bytes(0x0A)), no_c3 = open(with_bytes(0xC3));
    EXPECT_EQ(all->encode_plain("a\xC3\xA9\nb"), (Ids{1, 100 + 0xC3, 100 + 0xA9, 110, 2}));
    EXPECT_EQ(no_newline->encode_plain("a\xC3\xA9\nb"), (Ids{1, 100 + 0xC3, 100 + 0xA9, 0, 2})) << "one byte is missing, not all";
    EXPECT_EQ(no_c3->encode_plain("a\xC3\xA9\nb"), (Ids{1, 0, 110, 2})) << "all bytes of the character, or the unknown token";
    EXPECT_EQ(all->round_trip(), RoundTrip::kSanitizedText);
    EXPECT_EQ(no_newline->round_trip(), RoundTrip::kUpToUnknown);
    json off = with_bytes(-1);
    off["model"]["byte_fallback"] = false;
    EXPECT_EQ(open(off)->encode_plain("\n"), Ids{0});
}

TEST(TokenizerJson, PromisesNoSpacesForMarksThatAreNoToken) {
    json root = with_bytes(-1);
    EXPECT_EQ(open(root)->decode(open(root)->encode_plain("a\xE2\x96\x81")), "a ");
    for (const char* gone : {"\u2581", "\u2581ab"}) root["model"]["vocab"].erase(gone);
    root["model"]["merges"].erase(2);
    EXPECT_EQ(open(root)->decode(open(root)->encode_plain("a\xE2\x96\x81")), "a\xE2\x96\x81");
    EXPECT_EQ(open(root)->round_trip(), RoundTrip::kUpToUnknown);
    json as_written = with_bytes(-1);
    as_written["decoder"] = {{"type", "ByteFallback"}};
    EXPECT_EQ(open(as_written)->round_trip(), RoundTrip::kUpToUnknown);
    json rewritten = with_bytes(-1);
    rewritten["decoder"]["decoders"][0] = json::parse(R"({"type": "Replace", "pattern": {"String": "a"}, "content": "b"})");
    EXPECT_EQ(open(rewritten)->round_trip(), RoundTrip::kUpToUnknown);
}

TEST(TokenizerJson, PromisesNothingWhereAWordTakesSpacesAlong) {
    json root = with_bytes(-1);
    root["added_tokens"].push_back({{"id", 400}, {"content", "word"}, {"special", false}});
    EXPECT_EQ(open(root)->round_trip(), RoundTrip::kSanitizedText);
    root["added_tokens"].back()["lstrip"] = true;
    EXPECT_EQ(open(root)->round_trip(), RoundTrip::kUpToUnknown);
    EXPECT_EQ(open(root)->decode(open(root)->encode_plain("a word")), "aword");
}

TEST(TokenizerJson, NoTextOfPeopleLeadsToASpecialToken) {
    json root = small();
    root["added_tokens"].push_back({{"id", 6}, {"content", "abc"}, {"special", true}});
    root["added_tokens"].push_back({{"id", 3}, {"content", "c"}, {"special", true}});
    const Ids spelt = {5, 0};  // "ab", and a character that nothing but the template may write
    EXPECT_EQ(open(root)->encode_plain("abc"), spelt);
    EXPECT_EQ(open(root)->encode({{"abc", true}}), Ids{6});
    root["model"]["ignore_merges"] = true;
    EXPECT_EQ(open(root)->encode_plain("abc"), spelt) << "as a whole word";
}

TEST(TokenizerJson, NoByteOfPeopleIsASpecialToken) {
    json root = with_bytes(-1);
    root["added_tokens"].push_back({{"id", 100 + 0xC3}, {"content", "<0xC3>"}, {"special", true}});
    EXPECT_EQ(open(root)->encode_plain("\xC3\xA9"), Ids{0});
    EXPECT_EQ(open(root)->round_trip(), RoundTrip::kUpToUnknown);
}

TEST(TokenizerJson, UnknownCharactersAreSingleOrFusedOrLeftOut) {
    json root = small();
    EXPECT_EQ(open(root)->encode_plain("xya"), (Ids{0, 0, 1}));
    root["model"]["fuse_unk"] = true;
    EXPECT_EQ(open(root)->encode_plain("xyaz"), (Ids{0, 1, 0}));
    root["model"]["unk_token"] = nullptr;
    EXPECT_EQ(open(root)->encode_plain("xyaz"), Ids{1});
    EXPECT_EQ(open(root)->round_trip(), RoundTrip::kUpToUnknown);
}

TEST(TokenizerJson, IgnoreMergesTakesWholeWords) {
    json root = small();
    root["model"]["vocab"]["cab"] = 8;
    root["pre_tokenizer"] = json::parse(R"({"type": "Split", "pattern": {"String": "-"}, "behavior": "Removed", "invert": false})");
    EXPECT_EQ(open(root)->encode_plain("cab-ab"), (Ids{3, 5, 5}));
    root["model"]["ignore_merges"] = true;
    EXPECT_EQ(open(root)->encode_plain("cab-ab"), (Ids{8, 5}));
}

TEST(TokenizerJson, PrependGoesBeforeEveryStretchAndMetaspaceFirstBeforeTheFirst) {
    json root = small();
    root["normalizer"] = json::parse(R"({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]})");
    root["decoder"] =
        json::parse(R"({"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})");
    auto tokenizer = open(root);
    EXPECT_EQ(tokenizer->encode({{"ab<s>ab", true}}), (Ids{7, 9, 7}));
    EXPECT_EQ(tokenizer->encode({{"ab<s> ab", true}}), (Ids{7, 9, 4, 7}));
    EXPECT_EQ(tokenizer->decode({7, 7, 9, 7}), "ab ab ab");
    EXPECT_EQ(tokenizer->token_bytes(7), " ab");

    root["normalizer"] = nullptr;
    root["pre_tokenizer"] = json::parse(R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false})");
    root["decoder"] = json::parse(R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"})");
    tokenizer = open(root);
    EXPECT_EQ(tokenizer->encode({{"ab<s>ab", true}}), (Ids{7, 9, 5}));
    EXPECT_EQ(tokenizer->encode({{"<s>ab", true}}), (Ids{9, 5}));
    EXPECT_EQ(tokenizer->decode({7, 7}), "ab ab");
}

TEST(TokenizerJson, SpecialTokensOfUserTextArePlain) {
    const auto tokenizer = open(small());
    EXPECT_EQ(tokenizer->encode({{"<s>", true}, {"ab", false}}), (Ids{9, 5}));
    for (const Ids& ids :
         {tokenizer->encode({{"<s>", false}}), tokenizer->encode({{"<s", true}, {">", false}}), tokenizer->encode({{"<call>", false}})}) {
        for (const int32_t id : ids) EXPECT_LT(id, 9);
    }
    EXPECT_EQ(tokenizer->encode({{"<", true}, {"s>", true}}), Ids{9});
    EXPECT_EQ(tokenizer->encode({{"<call>", true}}), Ids{10});
    EXPECT_EQ(tokenizer->find_special("<call>"), 10);
    EXPECT_EQ(tokenizer->decode({9, 10, 5}), "<call>ab");
    EXPECT_EQ(tokenizer->decode({9, 10, 5}, true), "<s><call>ab");
}

TEST(TokenizerJson, TextIsEncodedAsAWholeAcrossSpans) {
    const auto tokenizer = open(small());
    EXPECT_EQ(tokenizer->encode({{"a", true}, {"b", false}, {"", true}, {"c", true}}), Ids{6});
}

TEST(TokenizerJson, NormalFormsComposeAndSortMarks) {
    json root = small();
    root["model"]["vocab"]["\xE1\xBB\x87"] = 8;  // e with circumflex and dot below
    root["normalizer"] = {{"type", "NFC"}};
    EXPECT_EQ(open(root)->encode_plain("e\xCC\x82\xCC\xA3"), Ids{8});
    EXPECT_EQ(open(root)->encode_plain("e\xCC\xA3\xCC\x82"
                                       "a"),
              (Ids{8, 1}));
    EXPECT_EQ(open(root)->round_trip(), RoundTrip::kUpToUnknown);
}

/// A byte-level vocabulary of all bytes and one merge.
json bytes() {
    json root = small();
    json vocab = json::object();
    int next = 256;
    for (int byte = 0; byte < 256; ++byte) {
        const bool seen = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        const int code = seen ? byte : next++;
        std::string text;
        if (code < 0x80) {
            text += static_cast<char>(code);
        } else {
            text += static_cast<char>(0xC0 | code >> 6);
            text += static_cast<char>(0x80 | (code & 0x3F));
        }
        vocab[text] = byte;
    }
    vocab
        ["\xC4\xA0"
         "a"] = 256;  // " a"
    root["model"] = {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"\xC4\xA0 a"}}};
    root["added_tokens"] = json::array();
    root["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
    root["decoder"] = {{"type", "ByteLevel"}};
    return root;
}

TEST(TokenizerJson, ByteLevelKeepsEveryByte) {
    const auto tokenizer = open(bytes());
    EXPECT_EQ(tokenizer->round_trip(), RoundTrip::kBytes);
    EXPECT_EQ(tokenizer->encode_plain("a a"), (Ids{'a', 256}));
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    EXPECT_EQ(tokenizer->decode(tokenizer->encode_plain(all)), all);
    json root = bytes();
    root["pre_tokenizer"]["add_prefix_space"] = true;
    EXPECT_EQ(open(root)->encode_plain("a a"), (Ids{256, 256}));
    EXPECT_EQ(open(root)->round_trip(), RoundTrip::kUpToUnknown);
}

TEST(TokenizerJson, RefusesUnknownComponentsByName) {
    const std::vector<std::pair<const char*, const char*>> cases = {{"normalizer", "Precompiled"},        {"normalizer", "Lowercase"},
                                                                    {"pre_tokenizer", "UnicodeScripts"},  {"decoder", "WordPiece"},
                                                                    {"post_processor", "BertProcessing"}, {"model", "Unigram"}};
    for (const auto& [part, type] : cases) {
        json root = small();
        root[part]["type"] = type;
        const std::string what = error_of(root);
        EXPECT_NE(what.find(type), std::string::npos) << what;
        EXPECT_NE(what.find(part), std::string::npos) << what;
    }
    json root = bytes();
    root["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {bytes()["pre_tokenizer"], {{"type", "Digits"}}}}};
    EXPECT_NE(error_of(root).find("ByteLevel"), std::string::npos);
    root = small();
    root["model"]["end_of_word_suffix"] = "</w>";
    EXPECT_NE(error_of(root).find("end_of_word_suffix"), std::string::npos);
}

TEST(TokenizerJson, RefusesIdsAndMergesThatCannotBe) {
    const std::vector<std::pair<const char*, json>> patches = {
        {"absurd id", json::parse(R"([{"op": "replace", "path": "/model/vocab/a", "value": 4000000000}])")},
        {"id that costs memory", json::parse(R"([{"op": "replace", "path": "/model/vocab/a", "value": 3000000}])")},
        {"2^64 - 1", json::parse(R"([{"op": "replace", "path": "/model/vocab/a", "value": 18446744073709551615}])")},
        {"negative id", json::parse(R"([{"op": "replace", "path": "/model/vocab/a", "value": -1}])")},
        {"fraction", json::parse(R"([{"op": "replace", "path": "/model/vocab/a", "value": 1.5}])")},
        {"same id twice", json::parse(R"([{"op": "replace", "path": "/model/vocab/a", "value": 2}])")},
        {"merge without a side", json::parse(R"([{"op": "add", "path": "/model/merges/-", "value": "a q"}])")},
        {"merge without a result", json::parse(R"([{"op": "add", "path": "/model/merges/-", "value": "c a"}])")},
        {"merge of one", json::parse(R"([{"op": "add", "path": "/model/merges/-", "value": "ab"}])")},
        {"merge of three", json::parse(R"([{"op": "add", "path": "/model/merges/-", "value": ["a", "b", "c"]}])")},
        {"merge with itself and nothing", json::parse(R"([{"op": "add", "path": "/model/merges/-", "value": ["ab", ""]}])")},
        {"merge that is a number", json::parse(R"([{"op": "add", "path": "/model/merges/-", "value": 5}])")},
        {"no merges", json::parse(R"([{"op": "remove", "path": "/model/merges"}])")},
        {"no vocab", json::parse(R"([{"op": "remove", "path": "/model/vocab"}])")},
        {"unknown token that is not there", json::parse(R"([{"op": "replace", "path": "/model/unk_token", "value": "<no>"}])")},
        {"added token over another", json::parse(R"([{"op": "replace", "path": "/added_tokens/0/id", "value": 1}])")},
        {"added token with an absurd id", json::parse(R"([{"op": "replace", "path": "/added_tokens/0/id", "value": 2000000}])")},
        {"added token without text", json::parse(R"([{"op": "replace", "path": "/added_tokens/0/content", "value": ""}])")},
        {"added tokens as an object", json::parse(R"([{"op": "replace", "path": "/added_tokens", "value": {}}])")},
        {"an added token twice", json::parse(R"([{"op": "replace", "path": "/added_tokens/1/content", "value": "<s>"}])")},
    };
    for (const auto& [name, patch] : patches) EXPECT_NE(error_of(small().patch(patch)), "") << name;
}

TEST(TokenizerJson, RefusesDeepJsonAndJsonThatIsNone) {
    std::string deep = R"({"normalizer": )";
    for (int i = 0; i < 100'000; ++i) deep += R"({"type":"Sequence","normalizers":[)";
    EXPECT_NE(error_of(deep), "");
    std::string closed = R"({"normalizer": )";
    for (int i = 0; i < 80; ++i) closed += R"({"type":"Sequence","normalizers":[)";
    for (int i = 0; i < 80; ++i) closed += "]}";
    EXPECT_NE(error_of(closed + "}").find("nested"), std::string::npos);
    for (const char* text : {"{", "{\"model\": {}}", "{\"model\": []}", "{\"model\": {\"type\": \"BPE\"}} trailing", "{}",
                             "{\"model\":{\"type\":\"BPE\",\"vocab\":[],\"merges\":{}}}"}) {
        EXPECT_NE(error_of(std::string(text)), "") << text;
    }
}

TEST(TokenizerJson, EveryCutAndFlippedByteIsRefusedOrHarmless) {
    const std::string whole = bytes().dump();
    const TempFolder folder;
    for (size_t length = 0; length < whole.size(); length += 7) EXPECT_NE(error_of(whole.substr(0, length)), "") << length;
    for (size_t at = 0; at < whole.size(); at += 3) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
        try {
            const auto tokenizer = open_tokenizer_file(folder.write("tokenizer.json", flipped));
            for (const int32_t id : tokenizer->encode({{"a a\xFF <s> 12", true}})) EXPECT_LT(id, tokenizer->vocab_size());
        } catch (const Error&) {}
    }
}

TEST(TokenizerJson, DoesNotLeaveOutAReplaceBesideByteLevelInSilence) {
    for (const char* other : {R"({"type": "Replace", "pattern": {"String": "e"}, "content": "E"})", R"({"type": "Metaspace"})"}) {
        json root =
            json::parse(R"({"normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
            "post_processor": null, "model": {"type": "BPE", "vocab": {"e": 0}, "merges": []}})");
        root["decoder"] = {{"type", "Sequence"}, {"decoders", json::array({{{"type", "ByteLevel"}}, json::parse(other)})}};
        const TempFolder folder;
        try {
            open_tokenizer_file(folder.write("tokenizer.json", root.dump()));
            ADD_FAILURE() << other;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
            EXPECT_NE(std::string(error.what()).find("beside ByteLevel"), std::string::npos) << error.what();
        }
    }
}

}  // namespace
}  // namespace hearth
