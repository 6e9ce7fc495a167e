#include "runtime/score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
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
    const auto got = log_probabilities(*model, tokens, {.cache_dtype = DType::kF32});
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
    const auto whole = log_probabilities(*model, tokens, {.cache_dtype = DType::kF32});
    ASSERT_EQ(whole.size(), 99u);
    for (const int64_t chunk : {1, 32, 33, 98, 99, 1000})
        EXPECT_EQ(log_probabilities(*model, tokens, {.cache_dtype = DType::kF32, .chunk = chunk}), whole) << "chunks of " << chunk;
}

TEST(Score, ShowsEveryRowOnceAndInOrder) {
    const auto model = testing::tiny_model();
    const auto tokens = some_tokens(100);
    const auto whole = log_probabilities(*model, tokens, {.cache_dtype = DType::kF32});
    for (const int64_t chunk : {7, 32, 99, 512}) {
        int64_t next = 1;
        ScoreOptions options{.cache_dtype = DType::kF32, .chunk = chunk};
        options.rows = [&](const ScoredRows& rows) {
            ASSERT_EQ(rows.first, next);
            ASSERT_EQ(rows.expected.extent[1], 61);
            for (int64_t i = 0; i < rows.expected.extent[0]; ++i, ++next) {
                double sum = 0;
                for (int64_t v = 0; v < 61; ++v) sum += std::exp(double{rows.expected(i, v)});
                EXPECT_NEAR(sum, 1, 1e-6);
                EXPECT_EQ(rows.expected(i, tokens[static_cast<size_t>(next)]), whole[static_cast<size_t>(next - 1)]);
            }
        };
        EXPECT_EQ(log_probabilities(*model, tokens, options), whole) << "looking on changes nothing";
        EXPECT_EQ(next, 100) << "chunks of " << chunk;
    }
}

TEST(Score, ScoresFromATokenOnAsItScoresTheWhole) {
    const auto model = testing::tiny_model();
    const auto tokens = some_tokens(100);
    const auto whole = log_probabilities(*model, tokens, {.cache_dtype = DType::kF32});
    for (const int64_t from : {1, 2, 31, 32, 33, 64, 65, 99}) {
        int64_t first = -1, rows = 0;
        ScoreOptions options{.cache_dtype = DType::kF32, .chunk = 32, .from = from};
        options.rows = [&](const ScoredRows& seen) {
            if (first < 0) first = seen.first;
            rows += seen.expected.extent[0];
        };
        EXPECT_EQ(log_probabilities(*model, tokens, options), std::vector<float>(whole.begin() + from - 1, whole.end())) << from;
        EXPECT_EQ(first, from);
        EXPECT_EQ(rows, 100 - from);
    }
    EXPECT_TRUE(log_probabilities(*model, tokens, {.from = 100}).empty());
}

TEST(Score, RefusesToShowRowsThatAreNotNumbers) {
    const auto model = testing::tiny_model({.poisoned_token = 17});
    const auto tokens = some_tokens(9);  // 17 is the second
    EXPECT_TRUE(std::isnan(log_probabilities(*model, tokens)[1]));
    ScoreOptions options;
    options.rows = [](const ScoredRows&) {};
    EXPECT_THROW(log_probabilities(*model, tokens, options), Error);
}

TEST(Score, AddsWhatTheStagesTookToAProfile) {
    const auto model = testing::tiny_model();
    Profile profile;
    log_probabilities(*model, some_tokens(100), {.chunk = 33, .profile = &profile});
    std::map<std::string_view, int64_t> calls;
    for (const StageTime& stage : profile.stages()) {
        EXPECT_GT(stage.bytes, 0) << stage.variant;
        calls[stage.variant] = stage.calls;
    }
    EXPECT_EQ(calls["embed/reference"], 3);  // steps
    EXPECT_EQ(calls["attention/reference"], 2 * 3);
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
