// Answers that follow a constraint, with drafts and without, and constraints that fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "runtime/engine/model_engine.h"
#include "tests/runtime/engine/requests.h"
#include "tests/runtime/engine/scripted_constraint.h"
#include "tests/runtime/engine/transcript.h"
#include "tests/runtime/tiny_model.h"

namespace hearth::testing {
namespace {

using ::testing::HasSubstr;
using Tokens = std::vector<int32_t>;

constexpr int32_t kVocab = 61;

Request constrained(std::shared_ptr<TokenConstraint> constraint, int64_t max_tokens = 40, float temperature = 0) {
    Request request = short_request({1, 2, 3, 1, 2, 3, 1, 2}, max_tokens);
    request.sampling.temperature = temperature;
    request.sampling.seed = 5;
    request.constraint = std::move(constraint);
    return request;
}

TEST(Constraint, IsObeyedAtAnyTemperatureAndDraftsChangeNothing) {
    const auto model = tiny_model();
    int64_t kept = 0, refused = 0, rolled_back = 0;
    for (const float temperature : {0.0f, 0.3f, 1.0f, 50.0f}) {
        ModelEngine plain(model, {.max_drafts = 0});
        const auto without = only_even(kVocab);
        const Transcript want = run_request(plain, constrained(without, 200, temperature));
        EXPECT_EQ(without->rolled_back, 0);
        for (const uint64_t seed : {uint64_t{1}, uint64_t{7}}) {
            ModelEngine drafting(model, {}, tiny_model({.seed = seed}));
            const auto with = only_even(kVocab);
            const Transcript got = run_request(drafting, constrained(with, 200, temperature));
            EXPECT_EQ(difference(want, got), "") << temperature;
            EXPECT_EQ(with->so_far, got.ids()) << "what was rolled back and what was kept adds up";
            EXPECT_FALSE(with->too_far);
            EXPECT_LE(with->most_rolled_back, 16);
            kept += got.stats.kept_tokens;
            refused += got.stats.drafted_tokens - got.stats.kept_tokens;
            rolled_back += with->rolled_back;
        }
        for (const int32_t id : want.ids()) EXPECT_EQ(id % 2, 0);
    }
    EXPECT_GT(kept, 0);
    EXPECT_GT(refused, 0);
    EXPECT_GT(rolled_back, 0);
}

TEST(Constraint, OfASentenceGivesItAndEndsAtItsStopToken) {
    ModelEngine engine(tiny_model(), {}, tiny_model());
    const Tokens words = {9, 8, 7, 9, 8, 7, 9, 8, 7, 9, 8, 7, 9, 8, 7, 60, 1, 9, 8, 7, 9, 8, 7};
    for (const float temperature : {0.0f, 2.0f}) {
        Request request = constrained(sentence(words, 13, kVocab), -1, temperature);
        request.stop_tokens = {13};
        const Transcript got = run_request(engine, std::move(request));
        EXPECT_EQ(got.ids(), words);
        EXPECT_EQ(*got.end.finish, FinishReason::kStop);
    }
}

TEST(Constraint, ThatThrowsEndsItsOwnAnswerWithItsTextAndNobodyElses) {
    const auto model = tiny_model();
    ModelEngine engine(model, {.max_sequences = 4}, model);
    const Transcript alone = run_request(engine, constrained(nullptr, 60));
    for (const size_t at : {0u, 1u, 5u, 20u}) {
        const auto neighbour = submit_or_throw(engine, constrained(nullptr, 60));
        const Transcript failed = run_request(engine, constrained(std::make_shared<ScriptedConstraint>(
                                                          [=](const auto& so_far, int32_t) {
                                                              if (so_far.size() >= at)
                                                                  throw std::runtime_error("the grammar took too many steps");
                                                              return true;
                                                          },
                                                          kVocab)));
        EXPECT_EQ(*failed.end.finish, FinishReason::kError);
        EXPECT_EQ(failed.end.error, "the grammar took too many steps");
        EXPECT_LE(failed.tokens.size(), at);
        EXPECT_EQ(difference(alone, read_transcript(*neighbour)), "");
    }
    EXPECT_EQ(engine.stats().blocks_in_use, 0);
}

/// Throws in accept() while drafts are tried: beyond what was drawn.
class ThrowsWhenTried final : public TokenConstraint {
public:
    void mask(std::span<uint32_t> allowed) override { std::ranges::fill(allowed, ~0u), masked_ = true; }
    bool accept(int32_t) override {
        if (!masked_ && ++tried_ > 3) throw std::runtime_error("a draft was too much");
        masked_ = false;
        return true;
    }
    void rollback(int64_t) override {}
    std::unique_ptr<TokenConstraint> copy() const override { return std::make_unique<ThrowsWhenTried>(*this); }

private:
    bool masked_ = false;
    int tried_ = 0;
};

TEST(Constraint, ThatThrowsWhileDraftsAreTriedEndsNobodyElsesAnswer) {
    const auto model = tiny_model();
    ModelEngine engine(model, {.max_sequences = 4}, model);
    const Transcript alone = run_request(engine, constrained(nullptr, 200));
    const auto failing = submit_or_throw(engine, constrained(std::make_shared<ThrowsWhenTried>(), 200));
    const auto neighbour = submit_or_throw(engine, constrained(nullptr, 200));
    const Transcript failed = read_transcript(*failing);
    EXPECT_EQ(*failed.end.finish, FinishReason::kError);
    EXPECT_EQ(failed.end.error, "a draft was too much");
    EXPECT_EQ(difference(alone, read_transcript(*neighbour)), "");
}

TEST(Constraint, ThatFailedLeavesItsMaskToNobody) {
    ModelEngine engine(tiny_model(), {});
    const Transcript alone = run_request(engine, constrained(nullptr));
    for (int i = 0; i < 20; ++i) {  // alone, so that no step ran with its mask; the next one may lie at the same address
        const auto failing =
            std::make_shared<ScriptedConstraint>([](const auto&, int32_t) -> bool { throw std::runtime_error("no"); }, kVocab);
        EXPECT_EQ(run_request(engine, constrained(failing)).end.error, "no");
        EXPECT_EQ(difference(alone, run_request(engine, constrained(nullptr))), "") << i;
    }
}

TEST(Constraint, ThatAllowsNothingIsAnErrorThatSaysSo) {
    const auto model = tiny_model();
    for (const int64_t drafts : {0, 16}) {
        ModelEngine engine(model, {.max_drafts = drafts}, drafts > 0 ? model : nullptr);
        for (const size_t at : {0u, 1u, 30u}) {
            const auto nothing =
                std::make_shared<ScriptedConstraint>([=](const auto& so_far, int32_t) { return so_far.size() < at; }, kVocab);
            const Transcript got = run_request(engine, constrained(nothing));
            EXPECT_EQ(got.tokens.size(), at);
            EXPECT_EQ(*got.end.finish, FinishReason::kError);
            EXPECT_THAT(got.end.error, HasSubstr("allows no token"));
            EXPECT_THAT(got.end.error, HasSubstr(std::to_string(at)));
        }
        Request banned = constrained(sentence({}, 13, kVocab));
        banned.stop_tokens = {13};
        banned.min_tokens = 2;
        const Transcript got = run_request(engine, banned);
        EXPECT_EQ(*got.end.finish, FinishReason::kError) << "the constraint allows the end alone, and min_tokens forbids it";
        EXPECT_THAT(got.end.error, HasSubstr("min_tokens"));
    }
}

/// Allows in its mask what it then does not accept.
class Contradicts final : public TokenConstraint {
public:
    void mask(std::span<uint32_t> allowed) override { std::ranges::fill(allowed, ~0u); }
    bool accept(int32_t) override { return false; }
    void rollback(int64_t) override {}
    std::unique_ptr<TokenConstraint> copy() const override { return std::make_unique<Contradicts>(); }
};

TEST(Constraint, ThatContradictsItselfEndsItsAnswerAndNotTheProgram) {
    ModelEngine engine(tiny_model(), {});
    const Transcript got = run_request(engine, constrained(std::make_shared<Contradicts>()));
    EXPECT_EQ(*got.end.finish, FinishReason::kError);
    EXPECT_THAT(got.end.error, HasSubstr("constraint"));
    EXPECT_EQ(run_request(engine, constrained(nullptr)).tokens.size(), 40u);
}

}  // namespace
}  // namespace hearth::testing
