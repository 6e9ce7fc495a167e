#include "loaders/tokenizer/bpe/ranks.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/loaders/tokenizer/tokenizer_data.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::TempFolder;
using Ids = std::vector<int32_t>;

std::string encode_base64(const std::string& bytes) {
    const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; ++k) bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
        for (size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? digits[bits >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

std::vector<std::string> all_bytes(std::vector<std::string> more) {
    std::vector<std::string> words;
    for (int byte = 0; byte < 256; ++byte) words.push_back(std::string(1, static_cast<char>(byte)));
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

std::string tiktoken(const std::vector<std::string>& words) {
    std::string out;
    for (size_t i = 0; i < words.size(); ++i) out += encode_base64(words[i]) + ' ' + std::to_string(i) + '\n';
    return out;
}

TEST(Base64, IsReadStrictly) {
    for (const std::string text : {"a", "ab", "abc", "abcd", "\xFF\xFE"}) EXPECT_EQ(decode_base64(encode_base64(text)), text);
    for (const char* text : {"", "A", "AA", "AAA", "A===", "====", "AA=A", "A A=", "AB==", "AAB=", "AA-_", "AAAA="})
        EXPECT_EQ(decode_base64(text), std::nullopt) << text;
}

TEST(Tiktoken, MergesByRankAndTakesWholeWords) {
    const auto tokenizer = load_tiktoken(tiktoken(all_bytes({"ab", "bc", "abc", "xyz"})), "t", {});
    EXPECT_EQ(tokenizer->encode_plain("abc"), Ids{258});
    EXPECT_EQ(tokenizer->encode_plain("abcd"), (Ids{258, 'd'}));
    EXPECT_EQ(tokenizer->encode_plain("xyz"), Ids{259}) << "no two of its parts merge, but it is a word";
    EXPECT_EQ(tokenizer->encode_plain("xyzq"), (Ids{'x', 'y', 'z', 'q'}));
    EXPECT_EQ(tokenizer->vocab_size(), 260 + 256);
    EXPECT_EQ(tokenizer->bos(), 260);
    EXPECT_EQ(tokenizer->find_special("<|eot_id|>"), 269);
    EXPECT_EQ(tokenizer->encode({{"<|eot_id|>", true}, {"<|eot_id|>", false}}).front(), 269);
    for (const int32_t id : tokenizer->encode_plain("<|eot_id|>")) EXPECT_LT(id, 256);
}

TEST(Tiktoken, RefusesDamagedLines) {
    const std::string good = tiktoken(all_bytes({"ab"}));
    EXPECT_NO_THROW(load_tiktoken(good, "t", {}));
    for (const std::string& bad : {good + "YWI= 300\n", good + "YWI= 257\n", good + "!!!! 257\n", good + "YWJj\n", good + "YWJj x\n",
                                   good + "YWJj 99999999999999999999\n", good.substr(0, 50), std::string("IQ== 0\n")}) {
        EXPECT_THROW(load_tiktoken(bad, "t", {}), Error) << bad.substr(bad.size() - 20);
    }
}

TEST(Tiktoken, HasLlama3sSpecialTokens) {
    HEARTH_NEEDS_SHARED_DATA();
    const Tokenizer& tiktoken = testing::shared_tokenizer("tokenizers/llama3/tokenizer.model");
    const Tokenizer& derived = testing::shared_tokenizer("tokenizers/llama3/tokenizer.derived.json");
    EXPECT_EQ(tiktoken.vocab_size(), derived.vocab_size());
    ASSERT_EQ(tiktoken.specials().size(), derived.specials().size());
    for (const SpecialToken& special : derived.specials()) EXPECT_EQ(tiktoken.find_special(special.text), special.id) << special.text;
    EXPECT_EQ(tiktoken.bos(), derived.bos());
    EXPECT_TRUE(derived.adds_bos());
}

json tekken() {
    json vocab = json::array();
    for (const std::string& word : all_bytes({"ab", "abc"}))
        vocab.push_back({{"rank", vocab.size()}, {"token_bytes", encode_base64(word)}, {"token_str", nullptr}});
    return {{"config", {{"pattern", "\\p{L}+|\\P{L}"}, {"default_vocab_size", 267}, {"default_num_special_tokens", 10}, {"version", "v7"}}},
            {"vocab", vocab},
            {"special_tokens",
             {{{"rank", 1}, {"token_str", "<s>"}, {"is_control", true}}, {{"rank", 3}, {"token_str", "[INST]"}, {"is_control", true}}}}};
}

TEST(Tekken, CountsIdsAfterTheSpecialTokensAndStopsAtTheVocabularySize) {
    const auto tokenizer = load_tekken(tekken().dump(), "tekken.json", {});
    EXPECT_EQ(tokenizer->vocab_size(), 267);
    EXPECT_EQ(tokenizer->encode_plain("ab"), Ids{10 + 256});
    EXPECT_EQ(tokenizer->encode_plain("abc"), (Ids{10 + 256, 10 + 'c'})) << "abc is past the size that the file states";
    EXPECT_EQ(tokenizer->encode({{"<s>[INST]", true}}), (Ids{1, 3}));
    EXPECT_EQ(tokenizer->find_special("<SPECIAL_7>"), 7);
    EXPECT_EQ(tokenizer->round_trip(), RoundTrip::kBytes);
}

TEST(Tekken, OldFilesHaveTheSpecialTokensOfTheirTime) {
    json root = tekken();
    root.erase("special_tokens");
    const auto tokenizer = load_tekken(root.dump(), "tekken.json", {});
    EXPECT_EQ(tokenizer->encode({{"<s>[INST][/INST]</s>", true}}), (Ids{1, 3, 4, 2}));
}

TEST(Tekken, RefusesWhatDoesNotFit) {
    const auto refused = [](const char* patch) {
        EXPECT_THROW(load_tekken(tekken().patch(json::parse(patch)).dump(), "t", {}), Error) << patch;
    };
    refused(R"([{"op": "replace", "path": "/config/default_vocab_size", "value": 100000}])");
    refused(R"([{"op": "replace", "path": "/config/default_vocab_size", "value": 5}])");
    refused(R"([{"op": "replace", "path": "/config/default_num_special_tokens", "value": -1}])");
    refused(R"([{"op": "replace", "path": "/config/default_num_special_tokens", "value": 9223372036854775807}])");
    refused(R"([{"op": "replace", "path": "/config/pattern", "value": "(a)\\1"}])");
    refused(R"([{"op": "replace", "path": "/vocab/5/rank", "value": 6}])");
    refused(R"([{"op": "replace", "path": "/vocab/5/token_bytes", "value": "AA=="}])");
    refused(R"([{"op": "replace", "path": "/vocab/5/token_bytes", "value": "*"}])");
    refused(R"([{"op": "replace", "path": "/special_tokens/0/rank", "value": 10}])");
    refused(R"([{"op": "replace", "path": "/special_tokens/0/rank", "value": 3}])");
    refused(R"([{"op": "replace", "path": "/special_tokens/0/token_str", "value": "[INST]"}])");
    refused(R"([{"op": "remove", "path": "/vocab"}])");
}

TEST(Tekken, TheOldMiniFileIsTheSameAsTheNew) {
    HEARTH_NEEDS_SHARED_DATA();
    const Tokenizer& v7 = testing::shared_tokenizer("tokenizers/tekken-mini/tekken.json");
    const Tokenizer& v3 = testing::shared_tokenizer("tokenizers/tekken-mini/tekken_v3_no_special_tokens.json");
    EXPECT_EQ(v7.vocab_size(), 9192);
    for (const SpecialToken& special : v7.specials()) EXPECT_EQ(v3.find_special(special.text), special.id) << special.text;
}

}  // namespace
}  // namespace hearth
