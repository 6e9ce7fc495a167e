// Drafts from a second model.
#include "runtime/speculate/model_drafter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/runtime/engine/requests.h"
#include "tests/runtime/engine/transcript.h"
#include "tests/runtime/schedule/fake_device.h"
#include "tests/runtime/tiny_model.h"

namespace hearth::testing {
namespace {

constexpr int64_t kContext = 1024;

EngineOptions options_of(int64_t blocks) { return {.context = kContext, .max_sequences = 4, .num_blocks = blocks}; }

/// A sequence of which everything but its last token was computed.
std::unique_ptr<Sequence> decoding(int64_t length, float temperature = 0) {
    Request request;
    for (int64_t i = 0; i < length; ++i) request.prompt.push_back(static_cast<int32_t>(i * i % 7));
    request.sampling.temperature = temperature;
    request.sampling.seed = 3;
    return sequence_of(std::move(request), kContext);
}

/// Of so many tokens no pair comes twice, so that all drafts are the model's.
TEST(ModelDrafter, OfTheSameModelAllDraftsAreKeptAtAnyTemperature) {
    const auto model = tiny_model({.vocab = 3001});
    for (const float temperature : {0.8f, 1.0f, 2.0f}) {
        ModelEngine plain(model, {.max_drafts = 0}), drafting(model, {.adapt_drafts = false}, model);
        int64_t drafted = 0, kept = 0;
        for (int n = 0; n < 3; ++n) {
            Request request = short_request({n + 1}, 240);
            request.sampling.temperature = temperature;
            request.sampling.seed = static_cast<uint64_t>(n);
            const Transcript want = run_request(plain, request), got = run_request(drafting, request);
            EXPECT_EQ(difference(want, got), "");
            drafted += got.stats.drafted_tokens;
            kept += got.stats.kept_tokens;
        }
        EXPECT_GT(drafted, 4);
        EXPECT_GE(kept * 10, drafted * 9) << kept << " of " << drafted;
    }
}

/// Drafts are what the model itself draws: compared token by token.
TEST(ModelDrafter, DraftsWhatItsModelWouldAnswer) {
    const auto model = tiny_model({.max_context = kContext});
    for (const float temperature : {0.0f, 1.0f}) {
        ModelDrafter drafter(model, options_of(64));
        auto s = decoding(40, temperature);
        const ModelDrafter::Ask ask{.sequence = s.get(), .most = 6};
        drafter.draft({&ask, 1});
        ASSERT_EQ(s->drafted, 6);
        ModelEngine engine(model, {.context = kContext, .max_drafts = 0});
        Request request;
        request.prompt.assign(s->tokens.begin(), s->tokens.begin() + 40);
        request.sampling = s->request.sampling;
        request.max_tokens = 6;
        EXPECT_EQ(run_request(engine, request).ids(), std::vector<int32_t>(s->tokens.begin() + 40, s->tokens.end()));
        s->drop_drafts();
        s->tokens.push_back(5);  // it went another way
        const ModelDrafter::Ask again{.sequence = s.get(), .most = 3};
        drafter.draft({&again, 1});
        request.prompt.push_back(5);
        request.max_tokens = 3;
        EXPECT_EQ(run_request(engine, request).ids(), std::vector<int32_t>(s->tokens.begin() + 41, s->tokens.end()));
        s->drop_drafts();
        drafter.forget(*s);
    }
}

TEST(ModelDrafter, IsSilentWhileItIsBehindWithALongPrompt) {
    const auto model = tiny_model({.max_context = kContext});
    ModelDrafter drafter(model, options_of(64));
    auto s = decoding(700);
    const ModelDrafter::Ask ask{.sequence = s.get(), .most = 2};
    for (int i = 0; i < 2; ++i) {
        drafter.draft({&ask, 1});
        EXPECT_EQ(s->drafted, 0) << "256 tokens at once";
    }
    drafter.draft({&ask, 1});
    EXPECT_EQ(s->drafted, 2);
    s->drop_drafts();
    drafter.forget(*s);
}

TEST(ModelDrafter, HasNoDraftsWhereItsBlocksRunOutAndHasSomeAgainLater) {
    const auto model = tiny_model({.max_context = kContext});
    ModelDrafter drafter(model, options_of(3));
    auto first = decoding(60), second = decoding(50);
    const ModelDrafter::Ask asks[] = {{.sequence = first.get(), .most = 2}, {.sequence = second.get(), .most = 2}};
    drafter.draft(asks);
    EXPECT_EQ(first->drafted, 2);
    EXPECT_EQ(second->drafted, 0);
    first->drop_drafts();
    drafter.forget(*first);
    drafter.draft({&asks[1], 1});
    EXPECT_EQ(second->drafted, 2);
    second->drop_drafts();
    drafter.forget(*second);
    drafter.forget(*second);  // nothing happens
}

TEST(ModelDrafter, OfAnotherVocabularyOrTooShortAContextIsRefused) {
    const auto model = tiny_model();
    const auto message = [&](const TinyOptions& draft) -> std::string {
        try {
            ModelEngine(model, {}, tiny_model(draft));
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
            return error.what();
        }
        return "accepted";
    };
    EXPECT_EQ(message({.layers = 1, .seed = 4}), "accepted");
    EXPECT_THAT(message({.vocab = 62}), ::testing::AllOf(::testing::HasSubstr("62"), ::testing::HasSubstr("61")));
    EXPECT_THAT(message({.max_context = 128}), ::testing::AllOf(::testing::HasSubstr("128"), ::testing::HasSubstr("256")));
}

TEST(ModelDrafter, WhoseLogitsAreNoNumbersHasNothingToSay) {
    const auto model = tiny_model({.max_context = kContext, .poisoned_token = 1});
    ModelDrafter drafter(model, options_of(64));
    auto s = decoding(40);
    const ModelDrafter::Ask ask{.sequence = s.get(), .most = 4};
    drafter.draft({&ask, 1});
    EXPECT_EQ(s->drafted, 0);
    drafter.forget(*s);
}

}  // namespace
}  // namespace hearth::testing
