// What goes wrong in a step, and whom it takes along.
#include "runtime/engine/model_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "kernels/make_backend.h"
#include "tests/runtime/allocation_failure.h"
#include "tests/runtime/engine/requests.h"
#include "tests/runtime/test_backend.h"
#include "tests/runtime/tiny_model.h"

namespace hearth::testing {
namespace {

TEST(Engine, EndsOnlyTheSequenceWhoseLogitsAreNotNumbers) {
    const Request good = short_request({1, 2, 3, 4}, 30);
    const std::vector<int32_t> alone = [&] {
        ModelEngine engine(tiny_model(), {});
        return read_all(*submit_or_throw(engine, good)).tokens;
    }();
    ASSERT_EQ(alone.size(), 30u);
    int32_t poison = 5;  // a token that the good answer does not come across
    while (std::ranges::find(alone, poison) != alone.end()) ++poison;
    const auto model = tiny_model({.poisoned_token = poison});
    ModelEngine engine(model, {.context = 64, .max_sequences = 2, .max_step_tokens = 8, .num_blocks = 3});
    const auto neighbour = submit_or_throw(engine, good);
    const auto poisoned = submit_or_throw(engine, short_request({1, 2, poison, 8, 9, 10, 11, 12, 13, 14, 15}, 5));
    const WholeAnswer answer = read_all(*poisoned);
    EXPECT_EQ(*answer.end.finish, FinishReason::kNumericError);
    EXPECT_THAT(answer.end.error, ::testing::HasSubstr("not finite"));
    EXPECT_TRUE(answer.tokens.empty());
    EXPECT_EQ(read_all(*neighbour).tokens, alone);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(read_all(*submit_or_throw(engine, good)).tokens, alone) << "in a block that held no numbers";
}

TEST(Engine, FailsOnlyTheSequencesOfAStepThatWentWrong) {
    const auto model = tiny_model({}, make_test_backend({.gated = false, .refused_tokens = 13, .forced = {}}));
    ModelEngine engine(model, {});
    const auto before = submit_or_throw(engine, short_request({1, 2}, 40));
    EXPECT_EQ(read_all(*before).tokens.size(), 40u);
    const WholeAnswer failed = read_all(*submit_or_throw(engine, short_request(std::vector<int32_t>(13, 1), 5)));
    EXPECT_EQ(*failed.end.finish, FinishReason::kError);
    EXPECT_THAT(failed.end.error, ::testing::HasSubstr("embed"));
    EXPECT_EQ(engine.stats().blocks_in_use, 0);
    EXPECT_EQ(read_all(*submit_or_throw(engine, short_request(std::vector<int32_t>(12, 1), 5))).tokens.size(), 5u);
}

// A prompt of 64 whole blocks: the list of its blocks has room for 64 numbers, and grows to twice that while a step is planned.
TEST(Engine, SurvivesAPlanThatFindsNoMemory) {
    ModelEngine engine(tiny_model({.max_context = 4096}, make_backend({.threads = 1})), {.max_step_tokens = 512});
    const auto answer = [&](std::vector<int32_t> prompt, int64_t max_tokens) {
        return read_all(*submit_or_throw(engine, short_request(std::move(prompt), max_tokens)));
    };
    const std::vector<int32_t> long_prompt(64 * kBlockTokens - 4, 2);
    EXPECT_EQ(answer(long_prompt, 40).tokens.size(), 40u);
    {
        const AllocationFailure none(64 * 4 + 1, 129 * 4);
        const WholeAnswer failed = answer(long_prompt, 40);
        EXPECT_EQ(*failed.end.finish, FinishReason::kError);
        EXPECT_THAT(failed.end.error, ::testing::HasSubstr("bad_alloc"));
        EXPECT_GT(none.failures(), 0);
    }
    EXPECT_EQ(engine.stats().blocks_in_use, 0);
    EXPECT_EQ(answer(long_prompt, 40).tokens.size(), 40u);
}

// Room for 4,096 tokens of an answer is made beforehand; the next needs more.
TEST(Engine, SurvivesATokenThatFindsNoMemory) {
    ModelEngine engine(tiny_model({.max_context = 8192}, make_backend({.threads = 1})), {.max_sequences = 2});
    const AllocationFailure none(8192 * 4, 8200 * 4);
    Request long_answer = short_request({1}, 4200);
    long_answer.speculate = false;  // drafts take memory at other places
    const auto failing = submit_or_throw(engine, long_answer);
    const WholeAnswer failed = read_all(*failing);
    EXPECT_EQ(*failed.end.finish, FinishReason::kError);
    EXPECT_EQ(failed.tokens.size(), 4096u);
    EXPECT_GT(none.failures(), 0);
    EXPECT_EQ(engine.stats().blocks_in_use, 0);
    EXPECT_EQ(read_all(*submit_or_throw(engine, short_request({1}, 30))).tokens.size(), 30u);
}

TEST(Engine, NamesItsReasons) {
    EXPECT_EQ(name_of(FinishReason::kStop), "stop");
    EXPECT_EQ(name_of(FinishReason::kLength), "length");
    EXPECT_EQ(name_of(FinishReason::kCancelled), "cancelled");
    EXPECT_EQ(name_of(FinishReason::kNumericError), "numeric_error");
    EXPECT_EQ(name_of(FinishReason::kError), "error");
}

}  // namespace
}  // namespace hearth::testing
