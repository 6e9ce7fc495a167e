// The built-in model against what transformers computes from its folder.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/models/chat_golden.h"
#include "tests/models/run_model.h"
#include "tests/support/shared.h"

namespace hearth {
namespace {

using nlohmann::json;

std::filesystem::path ember() { return std::filesystem::path(HEARTH_SOURCE_DIR) / "tools" / "ember"; }

json chats() {
    std::ifstream file(ember() / "golden.json");
    return json::parse(file).at("chats");
}

TEST(EmberModel, RendersAndEncodesItsChats) {
    const testing::ChatModel chat(ember(), testing::try_backend("cpu"));
    ASSERT_GE(chats().size(), 10u);
    for (const json& golden : chats()) testing::expect_rendered_and_encoded(chat, golden);
}

TEST(EmberModel, ComputesWhatTransformersDoesOnTheReferenceKernels) {
    const testing::ChatModel chat(ember(), testing::try_backend("reference"));
    for (const json& golden : chats()) testing::expect_top8(chat, golden, DType::kF32, 2e-5f);
    testing::expect_chat_answer(chat, chats().at(0), DType::kF32, 0.001f);
}

TEST(EmberModel, AnswersItsChatsOnEveryLevelOfTheCpu) {
    for (const char* device : {"cpu:avx2", "cpu:avx512", "cpu:amx"}) {
        const auto backend = testing::try_backend(device);
        if (!backend) continue;
        SCOPED_TRACE(device);
        const testing::ChatModel chat(ember(), backend);
        for (const json& golden : chats()) {
            testing::expect_top8(chat, golden, DType::kBf16, 6e-2f);
            testing::expect_chat_answer(chat, golden, DType::kBf16, 0.15f);
        }
    }
}

TEST(EmberModel, DecodesItsAnswersToTheirText) {
    const auto tokenizer = open_tokenizer(ember());
    for (const json& golden : chats()) EXPECT_EQ(tokenizer->decode(golden.at("greedy").get<std::vector<int32_t>>()), golden.at("text"));
}

}  // namespace
}  // namespace hearth
