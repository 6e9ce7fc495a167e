// Rendered chats and prompts of whole checkpoints.
#include <gtest/gtest.h>

#include "base/utf8.h"
#include "tests/loaders/tokenizer/tokenizer_data.h"

namespace hearth {
namespace {

using testing::ember_files;
using testing::read_json;
using testing::shared_data;
using testing::shared_tokenizer;
using Ids = std::vector<int32_t>;

void check_chats(const Tokenizer& tokenizer, const nlohmann::json& golden, size_t expected_chats) {
    EXPECT_EQ(golden["chats"].size(), expected_chats);
    for (const auto& chat : golden["chats"]) {
        const std::string rendered = chat["rendered"];
        EXPECT_EQ(tokenizer.encode({{rendered, true}}), chat["ids"].get<Ids>()) << tokenizer.kind() << ": " << rendered;
        TextDecoder decoder(tokenizer, true);
        std::string text;
        for (const int32_t id : chat["ids"]) text += decoder.push(id);
        EXPECT_EQ(text + decoder.finish(), rendered) << tokenizer.kind();
    }
}

TEST(TokenizerGoldens, OfEmberHoldForBothItsFormats) {
    const nlohmann::json golden = read_json(ember_files() / "golden.json");
    const auto both = open_tokenizer(ember_files());
    EXPECT_EQ(both->kind(), "tokenizer.json");
    EXPECT_EQ(both->eos(), both->find_special("<|end|>"));
    EXPECT_EQ(both->bos(), 1);
    EXPECT_FALSE(both->adds_bos());
    EXPECT_EQ(both->round_trip(), RoundTrip::kSanitizedText);
    check_chats(*both, golden, 10);
    check_chats(*open_tokenizer_file(ember_files() / "tokenizer.model"), golden, 10);
    for (const auto& chat : golden["chats"]) {
        Ids answer = chat["greedy"].get<Ids>();
        EXPECT_EQ(both->decode(answer), chat["text"]);
    }
}

TEST(TokenizerGoldens, OfEmberHoldWhereverTheTextIsCutIntoSpans) {
    const auto tokenizer = open_tokenizer(ember_files());
    const auto model = open_tokenizer_file(ember_files() / "tokenizer.model");
    const nlohmann::json golden = read_json(ember_files() / "golden.json");
    for (const auto& chat : golden["chats"]) {
        const std::string rendered = chat["rendered"];
        for (size_t step : {1, 2, 3, 7}) {
            std::vector<TextSpan> spans;
            for (size_t at = 0; at < rendered.size(); at += step) spans.push_back({rendered.substr(at, step), true});
            EXPECT_EQ(tokenizer->encode(spans), chat["ids"].get<Ids>());
            EXPECT_EQ(model->encode(spans), chat["ids"].get<Ids>());
        }
    }
}

void check_prompts(const Tokenizer& tokenizer, const nlohmann::json& golden) {
    ASSERT_TRUE(tokenizer.adds_bos());
    const auto with_bos = [&](const std::string& text) {
        Ids ids = tokenizer.encode_plain(text);
        ids.insert(ids.begin(), *tokenizer.bos());
        return ids;
    };
    for (const auto& prompt : golden["prompts"]) {
        EXPECT_EQ(with_bos(prompt["prompt"]), prompt["ids"].get<Ids>());
        Ids whole = prompt["ids"].get<Ids>();
        for (const int32_t id : prompt["greedy_ids"]) whole.push_back(id);
        EXPECT_EQ(tokenizer.decode(whole), prompt["greedy_text"]);
    }
    EXPECT_EQ(with_bos(golden["nll_text"]), golden["nll_ids"].get<Ids>());
}

TEST(TokenizerGoldens, OfTinyStoriesHold) {
    HEARTH_NEEDS_SHARED_DATA();
    const nlohmann::json goldens = read_json(shared_data() / "models/goldens.json");
    check_prompts(shared_tokenizer("models/stories260K/hf"), goldens["stories260K/hf"]);
    check_prompts(shared_tokenizer("models/tinystories-656k"), goldens["tinystories-656k"]);
    EXPECT_EQ(shared_tokenizer("models/tinystories-656k").eos(), 2);
}

TEST(TokenizerGoldens, OfSmolLm2Hold) {
    HEARTH_NEEDS_SHARED_DATA();
    const auto source = shared_data() / "models/smollm2-135m-instruct";
    const testing::TempFolder folder;
    const std::string python = std::filesystem::exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
    const std::string command = python + " '" + (source / "gguf_to_hf.py").string() + "' '" + folder.path().string() + "' >/dev/null 2>&1";
    if (std::system((python + " -c 'import numpy' >/dev/null 2>&1").c_str()) != 0) GTEST_SKIP() << "skipped: no python3 with numpy";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    const auto tokenizer = open_tokenizer(folder.path());
    const nlohmann::json golden = read_json(source / "golden.json");
    check_chats(*tokenizer, golden, golden["chats"].size());
    EXPECT_GE(golden["chats"].size(), 4u);
    EXPECT_EQ(tokenizer->round_trip(), RoundTrip::kUpToUnknown);  // 21 bytes have no token
    EXPECT_FALSE(tokenizer->adds_bos());
    for (const auto& chat : golden["chats"]) {
        if (!chat.contains("greedy")) continue;
        EXPECT_EQ(sanitize_utf8(tokenizer->decode(chat["greedy"].get<Ids>(), true)), chat["text"].get<std::string>());
    }
    std::string wiki = testing::read_file(shared_data() / "text/wiki.test.raw");
    size_t end = 0;  // "the first 40,000 characters"
    for (int characters = 0; characters < 40'000; ++characters) end += next_utf8(std::string_view(wiki).substr(end)).length;
    const Ids ids = tokenizer->encode_plain(wiki.substr(0, end));
    const Ids head = golden["wiki_ids_head"].get<Ids>();
    ASSERT_GE(ids.size(), head.size());
    EXPECT_EQ(Ids(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(head.size())), head);
    EXPECT_EQ(ids.size(), golden["wiki_ids_count"].get<size_t>());
}

TEST(TokenizerGoldens, TinyLlamasTwoFilesAgree) {
    HEARTH_NEEDS_SHARED_DATA();
    const Tokenizer& both = shared_tokenizer("tokenizers/tinyllama");
    EXPECT_EQ(both.kind(), "tokenizer.json");
    EXPECT_EQ(both.vocab_size(), 32000);
    EXPECT_EQ(both.bos(), 1);
    EXPECT_EQ(both.eos(), 2);
    EXPECT_TRUE(both.adds_bos());
}

}  // namespace
}  // namespace hearth
