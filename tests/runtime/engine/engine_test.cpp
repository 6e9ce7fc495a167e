#include "runtime/engine/model_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/error.h"
#include "kernels/make_backend.h"
#include "tests/runtime/engine/requests.h"
#include "tests/runtime/test_backend.h"
#include "tests/runtime/tiny_model.h"
#include "tests/support/wait_until.h"

namespace hearth::testing {
namespace {

using ::testing::ElementsAre;

TEST(Engine, StreamsAnAnswerToItsLengthAndCountsIt) {
    ModelEngine engine(tiny_model(), {});
    const auto stream = submit_or_throw(engine, short_request({1, 2, 3}, 7));
    const WholeAnswer answer = read_all(*stream);
    EXPECT_EQ(answer.tokens.size(), 7u);
    EXPECT_EQ(*answer.end.finish, FinishReason::kLength);
    EXPECT_FALSE(answer.end.context_full);
    EXPECT_EQ(answer.end.token.id, -1);
    const RequestStats stats = stream->stats();
    EXPECT_EQ(stats.prompt_tokens, 3);
    EXPECT_EQ(stats.generated_tokens, 7);
    EXPECT_GE(stats.queued_ms, 0);
    EXPECT_GT(stats.prefill_ms, 0);
    EXPECT_GT(stats.decode_ms, 0);
    EXPECT_EQ(engine.stats().tokens, 3 + 6);
    EXPECT_EQ(engine.stats().steps, 7);
    EXPECT_EQ(engine.stats().blocks_in_use, 0);
}

TEST(Engine, AQuestionsWordsAreNotPenalised) {
    ModelEngine engine(tiny_model(), {});
    const auto first_token = [&](int n, float presence, float frequency) {
        Request request = request_number(n);
        request.sampling = {.temperature = 0, .frequency_penalty = frequency, .presence_penalty = presence};
        request.max_tokens = 1;
        return read_all(*submit_or_throw(engine, request)).tokens;
    };
    for (int n = 0; n < 30; ++n) EXPECT_EQ(first_token(n, 2, 2), first_token(n, 0, 0)) << n;
}

TEST(Engine, StreamsEachTokenWhenItIsDrawn) {
    GatedSteps gate;
    ModelEngine engine(gated_model(), {});
    const auto stream = submit_or_throw(engine, short_request({1, 2, 3}, 3));
    for (int i = 0; i < 3; ++i) {
        gate.wait_until_held();
        EXPECT_EQ(stream->next(0), std::nullopt);
        gate.let_through();
        EXPECT_GE(stream->next()->token.id, 0);
    }
    EXPECT_TRUE(stream->next()->finish);
    EXPECT_THAT(gate.seen(), ElementsAre(3, 1, 1));
}

TEST(Engine, EndsAtAStopTokenWithoutGivingIt) {
    ModelEngine engine(tiny_model(), {});
    const WholeAnswer whole = read_all(*submit_or_throw(engine, short_request({1, 2, 3}, 20)));
    ASSERT_EQ(whole.tokens.size(), 20u);
    Request request = short_request({1, 2, 3}, 20);
    request.stop_tokens = {60, whole.tokens[4]};
    const WholeAnswer cut = read_all(*submit_or_throw(engine, request));
    const auto first = std::ranges::find(whole.tokens, whole.tokens[4]) - whole.tokens.begin();
    EXPECT_EQ(cut.tokens, std::vector<int32_t>(whole.tokens.begin(), whole.tokens.begin() + first));
    EXPECT_EQ(*cut.end.finish, FinishReason::kStop);
}

TEST(Engine, SaysWhenTheContextEndedTheAnswer) {
    ModelEngine engine(tiny_model(), {.context = 40});
    const auto run = [&](int64_t max_tokens) {
        return read_all(*submit_or_throw(engine, short_request(std::vector<int32_t>(35, 2), max_tokens)));
    };
    for (const int64_t max_tokens : {-1, 6, 1000}) {
        const WholeAnswer answer = run(max_tokens);
        EXPECT_EQ(answer.tokens.size(), 5u) << max_tokens;
        EXPECT_EQ(*answer.end.finish, FinishReason::kLength);
        EXPECT_TRUE(answer.end.context_full) << max_tokens;
    }
    EXPECT_EQ(run(5).tokens.size(), 5u);
    EXPECT_FALSE(run(5).end.context_full);
    EXPECT_EQ(run(0).tokens.size(), 0u);
    EXPECT_EQ(*run(0).end.finish, FinishReason::kLength);
}

TEST(Engine, TakesAPromptThatLeavesRoomForOneTokenAndRefusesALongerOne) {
    ModelEngine engine(tiny_model(), {.context = 64});
    const WholeAnswer answer = read_all(*submit_or_throw(engine, short_request(std::vector<int32_t>(63, 2), -1)));
    EXPECT_EQ(answer.tokens.size(), 1u);
    try {
        submit_or_throw(engine, short_request(std::vector<int32_t>(64, 2), -1));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kTooLarge);
        EXPECT_THAT(error.what(), ::testing::HasSubstr("the prompt has 64 tokens: maximum context length is 64 tokens"));
    }
}

TEST(Engine, RefusesRequestsThatMakeNoSense) {
    ModelEngine engine(tiny_model(), {});
    EXPECT_THROW(submit_or_throw(engine, short_request({}, 1)), Error);
    EXPECT_THROW(submit_or_throw(engine, short_request({61}, 1)), Error);
    EXPECT_THROW(submit_or_throw(engine, short_request({-1}, 1)), Error);
    EXPECT_THROW(submit_or_throw(engine, short_request({1}, -2)), Error);
    Request request = short_request({1}, 1);
    request.sampling.top_p = 7;
    EXPECT_THROW(submit_or_throw(engine, request), Error);
    EXPECT_EQ(engine.stats().waiting + engine.stats().running, 0);
}

TEST(Engine, RefusesOptionsThatMakeNoSense) {
    const auto model = tiny_model();
    EXPECT_THROW(ModelEngine(model, {.context = 257}), Error);
    EXPECT_THROW(ModelEngine(model, {.context = -1}), Error);
    EXPECT_THROW(ModelEngine(model, {.max_sequences = 0}), Error);
    EXPECT_THROW(ModelEngine(model, {.max_step_tokens = 0}), Error);
    EXPECT_THROW(ModelEngine(model, {.context = 64, .num_blocks = 1}), Error);
    EXPECT_THROW(ModelEngine(model, {.num_blocks = int64_t{1} << 40}), Error);
}

TEST(Engine, FillsInItsOptionsAndPlansItsBytes) {
    const auto model = tiny_model();
    const ModelEngine engine(model, {.max_sequences = 3});
    EXPECT_EQ(engine.options().context, 256);
    EXPECT_EQ(engine.options().num_blocks, 8 + 2 * 8);
    const int64_t cache = 24 * KvCache::bytes_per_block(model->config(), DType::kBf16);
    EXPECT_EQ(ModelEngine::planned_bytes(model->config(), {.max_sequences = 3}),
              cache + Model::Workspace::activation_bytes(model->config(), 512, 3 + 64))
        << "rows for drafts and scores";
}

TEST(Engine, ItsProfileHoldsTheStepOfEveryTokenThatWasRead) {
    ModelEngine engine(tiny_model(), {.profile = true});
    for (int64_t steps = 1; steps <= 1000; ++steps) {
        ASSERT_EQ(read_all(*submit_or_throw(engine, short_request({1, 2, 3}, 1))).tokens.size(), 1u);
        const auto stages = engine.profile();
        const auto sample = std::ranges::find(stages, "sample", &StageTime::variant);
        ASSERT_NE(sample, stages.end());
        ASSERT_EQ(sample->calls, steps);
    }
}

TEST(Engine, GivesTheSameAnswerAloneAndInACrowd) {
    for (const auto& [experts, cache] : {std::pair<int64_t, DType>{0, DType::kBf16}, {4, DType::kBf16}, {0, DType::kI8}}) {
        const auto model = tiny_model({.experts = experts});
        std::vector<WholeAnswer> alone;
        for (int n = 0; n < 12; ++n) {
            ModelEngine engine(model, {.cache_dtype = cache});
            alone.push_back(read_all(*submit_or_throw(engine, request_number(n))));
            EXPECT_EQ(alone.back().tokens.size(), static_cast<size_t>(request_number(n).max_tokens));
        }
        // Small steps, so that prompts are cut, and few blocks, so that sequences are preempted and computed again.
        for (const int64_t step_tokens : {6, 17, 512}) {
            ModelEngine engine(model,
                               {.context = 128, .max_sequences = 5, .max_step_tokens = step_tokens, .num_blocks = 5, .cache_dtype = cache});
            std::vector<std::shared_ptr<TokenStream>> streams;
            for (int n = 0; n < 12; ++n) streams.push_back(submit_or_throw(engine, request_number(n)));
            for (int n = 0; n < 12; ++n)
                EXPECT_EQ(read_all(*streams[static_cast<size_t>(n)]).tokens, alone[static_cast<size_t>(n)].tokens) << "request " << n;
            EXPECT_EQ(engine.stats().blocks_in_use, 0);
            EXPECT_GT(engine.stats().preemptions, 0);
        }
    }
}

TEST(Engine, ServesManyThreadsAtOnce) {
    const auto model = tiny_model();
    std::vector<std::vector<int32_t>> alone(10);
    {
        ModelEngine engine(model, {});
        for (int n = 0; n < 10; ++n) alone[static_cast<size_t>(n)] = read_all(*submit_or_throw(engine, request_number(n))).tokens;
    }
    ModelEngine engine(model, {.context = 128, .max_sequences = 4, .max_step_tokens = 32, .num_blocks = 6});
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0}, cancelled{0};
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 12; ++i) {
                const int n = (t * 5 + i * 3) % 10;
                const auto stream = submit_or_throw(engine, request_number(n));
                if ((t + i) % 4 == 0) {  // in the middle of things, and some by letting go
                    stream->next();
                    if (i % 2 == 0) continue;
                    stream->cancel();
                    ++cancelled;
                    const WholeAnswer answer = read_all(*stream);
                    wrong += answer.tokens.size() > alone[static_cast<size_t>(n)].size();
                } else {
                    wrong += read_all(*stream).tokens != alone[static_cast<size_t>(n)];
                }
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_GT(cancelled, 0);
    wait_until([&] { return engine.stats().running + engine.stats().waiting == 0; });
    EXPECT_EQ(engine.stats().blocks_in_use, 0);
}

TEST(Engine, DecodesOthersBetweenThePiecesOfALongPrompt) {
    GatedSteps gate;
    ModelEngine engine(gated_model(), {.max_step_tokens = 20});
    const auto talking = submit_or_throw(engine, short_request({1}, 6));
    gate.wait_until_held();
    const auto reading = submit_or_throw(engine, short_request(std::vector<int32_t>(50, 2), 1));
    gate.let_through(6);
    EXPECT_EQ(read_all(*talking).tokens.size(), 6u);
    EXPECT_EQ(read_all(*reading).tokens.size(), 1u);
    EXPECT_THAT(gate.seen(), ElementsAre(1, 20, 14, 19, 1, 1))
        << "one token of the answer and a piece of the prompt in each step, the second up to the end of a block";
}

}  // namespace
}  // namespace hearth::testing
