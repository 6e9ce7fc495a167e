#include "runtime/score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "tests/runtime/tiny_model.h"

namespace hearth {
namespace {

std::vector<int32_t> some_tokens(size_t count) {
    std::vector<int32_t> out(count);
    for (size_t i = 0; i < count; ++i) out[i] = static_cast<int32_t>(i * 17 % 61);
    return out;
}

TEST(Score, IsTheLogarithmOfTheSoftmaxOfTheTokenThatFollowed) {
    const auto model = testing::tiny_model();
    const auto tokens = some_tokens(9);
    const auto got = log_probabilities(*model, tokens, DType::kF32);
    ASSERT_EQ(got.size(), 8u);
    const KvCache cache(model->config(), model->backend(), 1, DType::kF32);
    Model::Workspace workspace(*model, 9, 9);
    Batch batch;
    batch.begin(1);
    batch.add(tokens, 0, std::vector<BlockId>{0}, 9);
    const auto logits = model->forward(batch, cache, workspace);
    for (int64_t t = 0; t < 8; ++t) {
        double sum = 0;
        for (int64_t v = 0; v < 61; ++v) sum += std::exp(double{logits(t, v)});
        EXPECT_NEAR(double{got[static_cast<size_t>(t)]}, double{logits(t, tokens[static_cast<size_t>(t) + 1])} - std::log(sum), 1e-5);
    }
}

TEST(Score, IsTheSameInChunksOfAnySize) {
    const auto model = testing::tiny_model();
    const auto tokens = some_tokens(100);
    const auto whole = log_probabilities(*model, tokens, DType::kF32);
    ASSERT_EQ(whole.size(), 99u);
    for (const int64_t chunk : {1, 32, 33, 98, 99, 1000})
        EXPECT_EQ(log_probabilities(*model, tokens, DType::kF32, chunk), whole) << "chunks of " << chunk;
}

TEST(Score, RefusesWhatDoesNotFitWithBothNumbers) {
    const auto model = testing::tiny_model({.max_context = 40});
    EXPECT_EQ(log_probabilities(*model, some_tokens(40)).size(), 39u);
    try {
        log_probabilities(*model, some_tokens(41));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kTooLarge);
        EXPECT_NE(std::string(error.what()).find("41"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("40"), std::string::npos);
    }
    EXPECT_THROW(log_probabilities(*model, std::vector<int32_t>{1, 61}), Error);
    EXPECT_THROW(log_probabilities(*model, std::vector<int32_t>{-1, 1}), Error);
}

TEST(Score, HasNothingToSayOfOneTokenOrNone) {
    const auto model = testing::tiny_model();
    EXPECT_TRUE(log_probabilities(*model, {}).empty());
    EXPECT_TRUE(log_probabilities(*model, some_tokens(1)).empty());
}

}  // namespace
}  // namespace hearth
