// What a sequence finds in the cache, and what it computes all the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/schedule/scheduler.h"
#include "tests/runtime/schedule/fake_device.h"

namespace hearth::testing {
namespace {

constexpr int64_t kContext = 512, kAll = 1 << 20;

struct Bench {
    Scheduler scheduler;
    FakeDevice device;

    explicit Bench(int32_t blocks = 64, int64_t window = 0)
        : scheduler({.max_sequences = 8, .max_step_tokens = 512, .max_step_rows = 72, .max_length = kContext, .window = window}, blocks),
          device(window) {}

    struct Result {
        int64_t computed = 0, cached = 0;
        std::vector<int32_t> answer;
    };
    /// Runs a request alone to its end.
    Result run(Request request) {
        const int64_t before = device.computed();
        auto made = sequence_of(std::move(request), kContext);
        Sequence* s = made.get();
        scheduler.add(std::move(made));
        while (true) {
            const auto& committed = scheduler.commit(device.run(scheduler.plan(kAll)));
            scheduler.check_integrity();
            if (!committed.at(0).finish) continue;
            const auto owned = scheduler.remove(s);
            return {device.computed() - before,
                    owned->cached_tokens,
                    {owned->tokens.begin() + static_cast<std::ptrdiff_t>(owned->prompt_tokens), owned->tokens.end()}};
        }
    }
};

Request ask(int64_t prompt, int64_t answer, int32_t filler = 1, uint64_t owner = 0) {
    Request request;
    request.prompt.assign(static_cast<size_t>(prompt), filler);
    request.max_tokens = answer;
    request.owner = owner;
    return request;
}

TEST(Prefix, ASecondTurnComputesOnlyItsNewTokens) {
    Bench b;
    Request first = ask(70, 60);
    const auto answer = b.run(first);
    EXPECT_EQ(answer.computed, 70 + 59);
    EXPECT_EQ(answer.cached, 0);
    Request second = first;
    second.prompt.insert(second.prompt.end(), answer.answer.begin(), answer.answer.end());
    second.prompt.insert(second.prompt.end(), 10, 3);
    const auto again = b.run(second);
    EXPECT_EQ(again.cached, 128) << "four full blocks of the 129 tokens that were computed";
    EXPECT_EQ(again.computed, 140 - 128 + 59);
}

TEST(Prefix, OfAPromptThatIsThereAsAWholeOnlyTheLastTokenIsComputed) {
    Bench b;
    b.run(ask(96, 2));
    const auto again = b.run(ask(96, 2));
    EXPECT_EQ(again.cached, 95);
    EXPECT_EQ(again.computed, 2);
    EXPECT_EQ(again.answer, answer_alone(ask(96, 2), kContext));
}

TEST(Prefix, OwnersShareNothing) {
    Bench b;
    b.run(ask(96, 2, 1, 7));
    EXPECT_EQ(b.run(ask(96, 2, 1, 8)).cached, 0);
    EXPECT_EQ(b.run(ask(96, 2, 1, 7)).cached, 95);
}

TEST(Prefix, WhoWantsScoresOrStatesReusesNothingAndLetsOthersReuse) {
    Bench b;
    Request scored = ask(96, 2);
    scored.score_prompt = true;
    b.run(scored);
    EXPECT_EQ(b.run(scored).cached, 0);
    EXPECT_EQ(b.run(ask(96, 2)).cached, 95);
}

TEST(Prefix, ManyWithOneBeginningComputeItOnce) {
    Bench b(200);
    constexpr int kRequests = 20;
    for (int32_t i = 0; i < kRequests; ++i) {
        Request request = ask(320, 1, 1);
        request.prompt.push_back(2 + i % 5);
        request.prompt.push_back(i);
        b.scheduler.add(sequence_of(request, kContext));
    }
    int64_t cached = 0;
    for (int steps = 0; !b.scheduler.empty(); ++steps) {
        ASSERT_LT(steps, 100);
        for (const Committed& c : std::vector(b.scheduler.commit(b.device.run(b.scheduler.plan(64))))) {
            if (c.finish) cached += b.scheduler.remove(c.sequence)->cached_tokens;
        }
        b.scheduler.check_integrity();
    }
    EXPECT_EQ(b.device.computed(), 320 + kRequests * 2);
    EXPECT_EQ(cached, (kRequests - 1) * 320);
}

TEST(Prefix, BeginningsOutliveEndings) {
    Bench b(16);            // just one context
    b.run(ask(320, 1, 1));  // ten blocks stay
    b.run(ask(288, 1, 2));  // nine more: three are taken back
    EXPECT_EQ(b.run(ask(320, 1, 1)).cached, 7 * 32);
}

TEST(Prefix, WithAWindowOnlyWhatIsStillSeenIsNeeded) {
    Bench b(24, 64);
    const auto first = b.run(ask(400, 50));
    Request longer = ask(400, 20);
    longer.prompt.insert(longer.prompt.end(), first.answer.begin(), first.answer.end());
    longer.prompt.push_back(4);
    const auto second = b.run(longer);
    EXPECT_EQ(second.cached, 448) << "14 blocks of the 449 tokens that were computed";
    EXPECT_EQ(second.answer, answer_alone(longer, kContext));
}

TEST(Prefix, WithAWindowBlocksThatLeftItAreGivenBack) {
    Bench b(24, 64);
    auto made = sequence_of(ask(10, 400), kContext);
    b.scheduler.add(std::move(made));
    int32_t most = 0;
    while (true) {
        const auto& committed = b.scheduler.commit(b.device.run(b.scheduler.plan(kAll)));
        b.scheduler.check_integrity();
        most = std::max(most, b.scheduler.pool().num_in_use());
        if (committed.at(0).finish) break;
    }
    EXPECT_EQ(most, 3) << "64 tokens lie in three blocks at most";
}

TEST(Prefix, WhatWasNotNumbersIsSharedWithNobody) {
    Bench b;
    auto made = sequence_of(ask(96, 5), kContext);
    Sequence* s = made.get();
    b.scheduler.add(std::move(made));
    b.scheduler.commit(b.device.run(b.scheduler.plan(kAll)));
    b.scheduler.remove(s, false);
    b.scheduler.check_integrity();
    EXPECT_EQ(b.run(ask(96, 5)).cached, 0);
}

}  // namespace
}  // namespace hearth::testing
