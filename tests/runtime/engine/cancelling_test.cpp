// Answers that are cut short: cancelled, let go of, or outlived by their readers.
#include "runtime/engine/model_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/runtime/engine/requests.h"
#include "tests/runtime/test_backend.h"
#include "tests/runtime/tiny_model.h"
#include "tests/support/wait_until.h"

namespace hearth::testing {
namespace {

using ::testing::ElementsAre;

TEST(Engine, CancelsWhatWaitsInTheQueue) {
    GatedSteps gate;
    ModelEngine engine(gated_model(), {.max_sequences = 1});
    const auto first = submit_or_throw(engine, short_request({1}, 2));
    gate.wait_until_held();
    const auto queued = submit_or_throw(engine, short_request({2}, 5));
    queued->cancel();
    gate.let_through();
    const WholeAnswer answer = read_all(*queued);
    EXPECT_EQ(*answer.end.finish, FinishReason::kCancelled);
    EXPECT_TRUE(answer.tokens.empty());
    gate.open();
    EXPECT_EQ(read_all(*first).tokens.size(), 2u);
}

TEST(Engine, CancelsInTheMiddleOfAPromptAndGivesItsBlocksBack) {
    GatedSteps gate;
    ModelEngine engine(gated_model(), {.max_sequences = 2, .max_step_tokens = 16});
    const auto stream = submit_or_throw(engine, short_request(std::vector<int32_t>(100, 3), 5));
    gate.wait_until_held();
    gate.let_through();
    gate.wait_until_held();  // in the second chunk
    EXPECT_EQ(engine.stats().blocks_in_use, 4);
    stream->cancel();
    gate.let_through();
    const WholeAnswer answer = read_all(*stream);
    EXPECT_EQ(*answer.end.finish, FinishReason::kCancelled);
    EXPECT_TRUE(answer.tokens.empty());
    EXPECT_EQ(engine.stats().blocks_in_use, 0);
    EXPECT_THAT(gate.seen(), ElementsAre(16, 16)) << "nothing more was computed";
}

TEST(Engine, CancelsWhileItAnswersAndKeepsWhatWasSaid) {
    GatedSteps gate;
    ModelEngine engine(gated_model(), {});
    const auto stream = submit_or_throw(engine, short_request({1, 2}, 50));
    gate.let_through(3);
    gate.wait_until_held();
    stream->cancel();
    gate.let_through();
    const WholeAnswer answer = read_all(*stream);
    EXPECT_EQ(*answer.end.finish, FinishReason::kCancelled);
    EXPECT_EQ(answer.tokens.size(), 4u) << "the step that ran still counts";
    EXPECT_EQ(engine.stats().blocks_in_use, 0);
}

TEST(Engine, CancelsWhenTheReaderLetsGo) {
    GatedSteps gate;
    ModelEngine engine(gated_model(), {});
    auto stream = submit_or_throw(engine, short_request({1, 2}, 100));
    gate.let_through(2);
    gate.wait_until_held();
    stream.reset();
    gate.let_through();
    wait_until([&] { return engine.stats().running == 0; });
    EXPECT_EQ(engine.stats().blocks_in_use, 0);
}

TEST(Engine, TakesACancelAfterTheEndForNothing) {
    ModelEngine engine(tiny_model(), {});
    const auto stream = submit_or_throw(engine, short_request({1, 2}, 2));
    EXPECT_EQ(read_all(*stream).tokens.size(), 2u);
    stream->cancel();
    EXPECT_EQ(stream->next()->finish, FinishReason::kLength);
}

TEST(Engine, CancelsAllWhenItIsDestroyed) {
    std::vector<std::shared_ptr<TokenStream>> streams;
    {
        ModelEngine engine(tiny_model(), {.max_sequences = 2});
        for (int n = 0; n < 6; ++n) streams.push_back(submit_or_throw(engine, short_request({n}, -1)));
        streams[0]->next();
    }
    for (const auto& stream : streams) {
        const WholeAnswer answer = read_all(*stream);
        EXPECT_TRUE(*answer.end.finish == FinishReason::kCancelled || answer.tokens.size() == 255u);
    }
    EXPECT_EQ(*read_all(*streams[5]).end.finish, FinishReason::kCancelled);
}

TEST(Engine, CanBeDestroyedWithoutEverWorking) {
    const ModelEngine engine(tiny_model(), {});
    EXPECT_EQ(engine.stats().steps, 0);
}

}  // namespace
}  // namespace hearth::testing
