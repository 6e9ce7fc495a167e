// SmolLM2-135M-Instruct, written as a Hugging Face folder by the script beside its file, against transformers.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <numeric>

#include "base/utf8.h"
#include "runtime/score.h"
#include "tests/models/chat_golden.h"
#include "tests/models/run_model.h"
#include "tests/support/shared.h"

namespace hearth {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

fs::path source() { return testing::shared_data() / "models" / "smollm2-135m-instruct"; }

/// The folder, written once for all tests of this program and removed at its end.
class SmolLm2 : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        if (!fs::exists(source() / "gguf_to_hf.py")) return;
        folder_ = fs::temp_directory_path() / ("hearth-smollm2-" + std::to_string(::getpid()));
        for (const std::string python : {"python3", "/usr/bin/python3"}) {
            if (std::system((python + " -c 'import numpy' 2>/dev/null").c_str()) != 0) continue;
            const std::string command = python + " '" + (source() / "gguf_to_hf.py").string() + "' '" + folder_.string() + "' >/dev/null";
            if (std::system(command.c_str()) == 0) chat_ = new testing::ChatModel(folder_, testing::try_backend("cpu"));
            return;
        }
    }
    static void TearDownTestSuite() {
        delete std::exchange(chat_, nullptr);
        if (!folder_.empty()) fs::remove_all(folder_);
    }
    void SetUp() override {
        HEARTH_NEEDS_SHARED_DATA();
        if (!fs::exists(source())) GTEST_SKIP() << "skipped: ../shared/data has no smollm2-135m-instruct";
        if (!chat_) GTEST_SKIP() << "skipped: no python3 with numpy to write SmolLM2's folder";
        std::ifstream file(source() / "golden.json");
        golden_ = json::parse(file);
    }

    static inline fs::path folder_;
    static inline testing::ChatModel* chat_ = nullptr;
    json golden_;
};

TEST_F(SmolLm2, RendersAndEncodesItsChats) {
    for (const json& chat : golden_.at("chats")) {
        if (chat.contains("greedy")) testing::expect_rendered_and_encoded(*chat_, chat);
    }
}

TEST_F(SmolLm2, ReadsSpecialTokensInAMessageAsPlainText) {
    const json& chat = golden_.at("chats").back();
    ASSERT_TRUE(chat.contains("note"));
    const auto spans = chat_->render(chat.at("messages"));
    EXPECT_EQ(testing::text_of(spans), chat.at("rendered"));
    const auto ids = chat_->tokenizer->encode(spans);
    EXPECT_EQ(std::ranges::count(ids, 1), 3) << "one <|im_start|> of each role, none of the message";
    EXPECT_EQ(std::ranges::count(ids, 2), 2);
    EXPECT_EQ(chat_->tokenizer->decode(ids, true), chat.at("rendered"));
}

TEST_F(SmolLm2, AnswersAsTransformersDoesUpToTheFirstCloseCall) {
    for (const json& chat : golden_.at("chats")) {
        if (!chat.contains("greedy")) continue;
        testing::expect_top8(*chat_, chat, DType::kBf16, 6e-2f);
        testing::expect_chat_answer(*chat_, chat, DType::kBf16, 0.15f);
        const std::vector<int32_t> greedy = chat.at("greedy");
        EXPECT_EQ(sanitize_utf8(chat_->tokenizer->decode(greedy, true)), chat.at("text"));
    }
}

TEST_F(SmolLm2, LosesAsMuchAsTransformersOnFourPiecesOfWikiText) {
    std::ifstream file(testing::shared_data() / "text" / "wiki.test.raw", std::ios::binary);
    if (!file) GTEST_SKIP() << "skipped: ../shared/data has no wiki.test.raw";
    std::string text(200'000, '\0');
    file.read(text.data(), std::ssize(text));
    size_t end = 0;  // of the first 40,000 characters
    for (int i = 0; i < 40'000; ++i) end += next_utf8(std::string_view(text).substr(end)).length;
    const auto ids = chat_->tokenizer->encode_plain(text.substr(0, end));
    ASSERT_EQ(std::ssize(ids), golden_.at("wiki_ids_count").get<int64_t>());
    const std::vector<int32_t> head = golden_.at("wiki_ids_head");
    ASSERT_TRUE(std::equal(head.begin(), head.end(), ids.begin()));
    const auto& windows = golden_.at("perplexity");
    ASSERT_EQ(windows.size(), 4u);
    for (size_t w = 0; w < windows.size(); ++w) {
        const auto scores = log_probabilities(*chat_->model, std::span(ids).subspan(1024 * w, 1024));
        const auto mean = [&](size_t from) {
            return -std::accumulate(scores.begin() + static_cast<std::ptrdiff_t>(from), scores.end(), 0.0) /
                   static_cast<double>(scores.size() - from);
        };
        const double want = windows[w].at("mean_nll"), want_half = windows[w].at("mean_nll_second_half");
        EXPECT_NEAR(mean(0), want, 0.005 * want) << "window " << w;
        EXPECT_NEAR(mean(511), want_half, 0.005 * want_half) << "second half of window " << w;
        RecordProperty("window_" + std::to_string(w), std::to_string(mean(0)) + " instead of " + std::to_string(want));
    }
}

}  // namespace
}  // namespace hearth
