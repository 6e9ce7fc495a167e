// Drafts from the text, against a device that remembers what lies in its cache.
#include "runtime/speculate/speculator.h"

#include <gtest/gtest.h>

#include "tests/runtime/engine/scripted_constraint.h"
#include "tests/runtime/schedule/fake_device.h"

namespace hearth::testing {
namespace {

/// Tokens that cost nothing: whatever may be right is drafted.
StepCost free_tokens() {
    StepCost cost;
    for (int i = 0; i < 50; ++i) cost.add(1 + i % 8, 0, 10);
    return cost;
}

struct Bench {
    static constexpr int64_t kContext = 256;

    explicit Bench(int64_t max_drafts, int64_t max_rows = 40)
        : scheduler({.max_sequences = 4, .max_step_tokens = 64, .max_step_rows = max_rows, .max_length = kContext}, 40),
          speculator(max_drafts, nullptr) {}

    Sequence* add(Request request) {
        auto made = sequence_of(std::move(request), kContext);
        Sequence* out = made.get();
        scheduler.add(std::move(made));
        return out;
    }
    void commit() {
        for (const Committed& c : std::vector(scheduler.commit(device.run(scheduler.plan(64))))) {
            speculator.learn(*c.sequence);
            if (c.finish) {
                speculator.forget(*c.sequence);
                scheduler.remove(c.sequence);
            }
        }
        scheduler.check_integrity();
    }

    Scheduler scheduler;
    Speculator speculator;
    FakeDevice device;
    StepCost cost = free_tokens();
};

/// A text that says everything twice, the second time with its own next token wherever that is.
Request repeating(int64_t answer = 60) {
    Request request;
    for (int i = 0; i < 40; ++i) request.prompt.push_back(i % 5);
    request.max_tokens = answer;
    return request;
}

TEST(Speculator, DraftsForWhoDecodesAndForNobodyElse) {
    Bench b(8);
    Sequence* s = b.add(repeating());
    Request silent = repeating();
    silent.speculate = false;
    Sequence* other = b.add(silent);
    b.speculator.draft(b.scheduler, b.cost);
    EXPECT_EQ(s->drafted, 0) << "it has no blocks yet";
    b.commit();
    int64_t drafted = 0;
    for (int i = 0; i < 59 && s->drafted_tokens == 0; ++i) {
        b.speculator.draft(b.scheduler, b.cost);
        EXPECT_EQ(other->drafted, 0);
        EXPECT_LE(s->drafted, 8);
        drafted += s->drafted;
        if (s->length() + 1 == s->max_length) break;
        b.commit();
    }
    EXPECT_GT(drafted, 0);
}

TEST(Speculator, WithoutDraftsItDoesNothing) {
    Bench b(0);
    Sequence* s = b.add(repeating());
    b.commit();
    b.speculator.draft(b.scheduler, b.cost);
    EXPECT_EQ(s->drafted, 0);
    EXPECT_EQ(s->speculation, nullptr);
}

TEST(Speculator, NeverDraftsBeyondTheEndOfTheAnswerOrTheRoomOfTheStep) {
    for (const int64_t rows : {4, 6, 40}) {
        Bench b(16, rows);
        for (int i = 0; i < 4; ++i) b.add(repeating(5 + 20 * i));
        while (!b.scheduler.empty()) {
            const int64_t room = b.scheduler.draft_room();
            b.speculator.draft(b.scheduler, b.cost);
            int64_t drafted = 0;
            b.scheduler.for_each([&](const Sequence& s) {
                drafted += s.drafted;
                EXPECT_LT(s.length() + s.drafted, std::max(s.max_length, s.length() + 1));
            });
            EXPECT_LE(drafted, room);
            b.commit();
        }
    }
}

TEST(Speculator, AnswersAreThoseWithoutDraftsAndCountsAddUp) {
    Bench b(8);
    int64_t drafted = 0;
    for (int n = 0; n < 20; ++n) {
        Request request = repeating(100);
        request.prompt.push_back(n % FakeDevice::kVocab);
        request.prompt.push_back(n / FakeDevice::kVocab);
        const auto want = answer_alone(request, Bench::kContext);
        Sequence* s = b.add(request);
        std::vector<int32_t> got;
        while (true) {
            b.speculator.draft(b.scheduler, b.cost);
            const auto committed = b.scheduler.commit(b.device.run(b.scheduler.plan(64)));
            b.speculator.learn(*s);
            for (const Token& token : committed.at(0).appended) got.push_back(token.id);
            if (committed[0].finish) break;
        }
        EXPECT_EQ(got, want);
        EXPECT_LE(s->kept_tokens, s->drafted_tokens);
        drafted += s->drafted_tokens;
        b.scheduler.remove(s);
    }
    EXPECT_GT(drafted, 0);
}

TEST(Speculator, DropsWhatAConstraintDoesNotAllowAndLeavesItAsItWas) {
    Bench b(8);
    Request request = repeating();
    const auto constraint = only_even(FakeDevice::kVocab);
    request.constraint = constraint;
    Sequence* s = b.add(request);
    (void)b.scheduler.commit(b.device.run(b.scheduler.plan(64)));  // which may have accepted a token
    const auto before = constraint->so_far;
    s->tokens.insert(s->tokens.end(), {2, 4, 3, 2});
    s->drafted = 4;
    b.speculator.draft(b.scheduler, StepCost{});
    EXPECT_EQ(constraint->so_far, before);
    EXPECT_FALSE(constraint->too_far);
    if (s->drafted > 0) {
        EXPECT_EQ(s->drafted, 2);
    }
}

TEST(Speculator, ASourceThatIsNeverRightIsHardlyAskedAnyMore) {
    Bench b(8);
    Speculation speculation;
    for (int i = 0; i < 60; ++i) speculation.learn(2, 0);
    for (const auto& source : {DraftSource::kNgram4}) {
        EXPECT_EQ(best_draft_length(speculation.acceptance[static_cast<size_t>(source)].rate(), 8, 0, b.cost), 0);
    }
}

}  // namespace
}  // namespace hearth::testing
