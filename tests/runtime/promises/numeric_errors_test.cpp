// Numbers that are none end the request that has them, and no other; nobody finds them in the cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "runtime/engine/model_engine.h"
#include "tests/runtime/engine/requests.h"
#include "tests/runtime/engine/transcript.h"
#include "tests/runtime/tiny_model.h"

namespace hearth::testing {
namespace {

constexpr int32_t kPoison = 60;
constexpr TinyOptions kPoisoned{.poisoned_token = kPoison};

/// A prompt without the poison, and an answer that cannot come across it.
Request clean_request(int n) {
    Request request = request_number(n, kPoison);
    request.logit_bias = {{.id = kPoison, .value = -std::numeric_limits<float>::infinity()}};
    return request;
}

TEST(NumericErrors, EndThoseWithThePoisonAndNobodyElse) {
    const auto model = tiny_model(kPoisoned);
    std::mt19937 random(8);
    constexpr int kRequests = 30;
    std::vector<Transcript> alone;
    for (int n = 0; n < kRequests; ++n) {
        ModelEngine engine(model, {.max_drafts = 0});
        alone.push_back(run_request(engine, clean_request(n)));
    }
    for (int round = 0; round < trial_size(4); ++round) {
        ModelEngine engine(
            model, {.context = 160, .max_sequences = 6, .max_step_tokens = 6 + static_cast<int64_t>(random() % 90), .num_blocks = 9},
            round % 2 == 0 ? nullptr : model);
        std::vector<std::pair<bool, std::shared_ptr<TokenStream>>> streams;
        for (int n = 0; n < kRequests; ++n) {
            Request request = clean_request(n);
            const bool poisoned = random() % 3 == 0;
            if (poisoned) {
                request.prompt.insert(request.prompt.begin() + static_cast<std::ptrdiff_t>(random() % (request.prompt.size() + 1)),
                                      kPoison);
                if (random() % 3 == 0) request.score_prompt = true;
            }
            streams.emplace_back(poisoned, submit_or_throw(engine, std::move(request)));
        }
        for (size_t n = 0; n < kRequests; ++n) {
            const Transcript got = read_transcript(*streams[n].second);
            if (!streams[n].first) {
                EXPECT_EQ(difference(alone[n], got), "") << n;
                continue;
            }
            EXPECT_EQ(*got.end.finish, FinishReason::kNumericError);
            EXPECT_THAT(got.end.error, ::testing::HasSubstr("not finite"));
            EXPECT_TRUE(got.tokens.empty());
        }
        EXPECT_EQ(engine.stats().blocks_in_use, 0);
    }
}

TEST(NumericErrors, BlocksOfSuchAPromptAreNotReused) {
    ModelEngine engine(tiny_model(kPoisoned), {.max_step_tokens = 32});  // blocks are offered to others before anybody sees a logit
    for (const size_t at : {5u, 80u}) {
        std::vector<int32_t> prompt(96, 3);
        prompt[at] = kPoison;
        for (int i = 0; i < 2; ++i) {
            const Transcript got = run_request(engine, short_request(prompt, 4));
            EXPECT_EQ(*got.end.finish, FinishReason::kNumericError);
            EXPECT_EQ(got.stats.cached_tokens, 0) << "not even those before the poison";
        }
    }
}

TEST(NumericErrors, AnAnswerThatDrawsThePoisonEndsBehindIt) {
    ModelEngine engine(tiny_model(kPoisoned), {}, tiny_model(kPoisoned));
    Request request = short_request({1, 2, 3}, 50);
    request.logit_bias = {{.id = kPoison, .value = 1e6f}};
    const Transcript got = run_request(engine, request);
    EXPECT_EQ(got.ids(), std::vector<int32_t>{kPoison});
    EXPECT_EQ(*got.end.finish, FinishReason::kNumericError);
}

TEST(NumericErrors, AnEmbeddingThatIsNoNumberIsNotGiven) {
    ModelEngine engine(tiny_model(kPoisoned), {.max_step_tokens = 40});
    for (const size_t at : {0u, 50u, 69u}) {
        Request request = short_request(std::vector<int32_t>(70, 3), 1);
        request.prompt[at] = kPoison;
        request.goal = Request::Goal::kEmbedding;
        const Transcript got = run_request(engine, request);
        EXPECT_EQ(*got.end.finish, FinishReason::kNumericError) << at;
        EXPECT_TRUE(got.embedding.empty());
        EXPECT_EQ(run_request(engine, short_request(request.prompt, 1)).stats.cached_tokens, 0) << "its blocks are not reused";
    }
}

}  // namespace
}  // namespace hearth::testing
