#include "runtime/schedule/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/schedule/fake_device.h"

namespace hearth::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;
using ::testing::IsEmpty;

constexpr int64_t kAll = 1 << 20;  // no limit on what a step computes of prompts

/// A scheduler, a device, and what a caller does with both.
struct Bench {
    Scheduler scheduler;
    FakeDevice device;
    int64_t context;

    Bench(const Scheduler::Limits& limits, int32_t blocks) : scheduler(limits, blocks), device(limits.window), context(limits.max_length) {}

    /// A prompt of `prompt` tokens that no other sequence begins with.
    Sequence* add(int64_t prompt, int64_t max_length, uint64_t owner = 0) {
        Request request;
        request.prompt.assign(static_cast<size_t>(prompt), 0);
        request.prompt[0] = static_cast<int32_t>(++added_ % FakeDevice::kVocab);
        request.max_tokens = max_length - prompt;
        request.owner = owner;
        return add(std::move(request));
    }
    Sequence* add(Request request) {
        auto s = sequence_of(std::move(request), context);
        Sequence* out = s.get();
        scheduler.add(std::move(s));
        return out;
    }
    /// The next step, which step() then runs.
    std::vector<Work> plan(int64_t prefill = kAll) { return (planned_ = &scheduler.plan(prefill))->work; }

    /// Who ends is taken out.
    void step(int64_t prefill = kAll) {
        const Plan* next = std::exchange(planned_, nullptr);
        const auto committed = scheduler.commit(device.run(next ? *next : scheduler.plan(prefill)));
        for (const Committed& c : committed) {
            if (c.finish) scheduler.remove(c.sequence);
        }
        scheduler.check_integrity();
    }

private:
    const Plan* planned_ = nullptr;
    int added_ = 0;
};

auto work(Sequence* s, int64_t count, int64_t rows, int64_t drafts = 0) { return FieldsAre(s, count, rows, drafts); }

TEST(Scheduler, TakesAllDecodesAndFillsTheRestWithPrefill) {
    Bench b({.max_sequences = 4, .max_step_tokens = 10, .max_step_rows = 4, .max_length = 64}, 16);
    Sequence* first = b.add(3, 64);
    EXPECT_THAT(b.plan(), ElementsAre(work(first, 3, 1)));
    b.step();
    Sequence* second = b.add(25, 64);
    Sequence* third = b.add(4, 64);
    EXPECT_THAT(b.plan(), ElementsAre(work(first, 1, 1), work(second, 9, 0)));
    b.step();
    EXPECT_THAT(b.plan(), ElementsAre(work(first, 1, 1), work(third, 4, 1), work(second, 5, 0))) << "the third's turn comes first";
}

TEST(Scheduler, ALongPromptTakesNoMoreOfAStepThanIsAllowedWhileOthersDecode) {
    Bench b({.max_sequences = 4, .max_step_tokens = 512, .max_step_rows = 4, .max_length = 1024}, 64);
    Sequence* first = b.add(3, 1024);
    b.step(64);
    Sequence* second = b.add(500, 1024);
    EXPECT_THAT(b.plan(64), ElementsAre(work(first, 1, 1), work(second, 64, 0)));
    b.scheduler.remove(first);
    EXPECT_THAT(b.plan(64), ElementsAre(work(second, 500, 1))) << "nobody waits";
}

TEST(Scheduler, ChunksEndWhereBlocksDo) {
    Bench b({.max_sequences = 2, .max_step_tokens = 100, .max_step_rows = 2, .max_length = 512}, 32);
    Sequence* s = b.add(200, 512);
    EXPECT_THAT(b.plan(), ElementsAre(work(s, 96, 0)));
    b.step();
    EXPECT_THAT(b.plan(), ElementsAre(work(s, 96, 0)));
    b.step();
    EXPECT_THAT(b.plan(), ElementsAre(work(s, 8, 1)));
}

TEST(Scheduler, OwnersTakeTurnsAndSoDoTheRequestsOfOne) {
    Bench b({.max_sequences = 8, .max_step_tokens = 32, .max_step_rows = 8, .max_length = 512}, 128);
    Sequence* flood[3];
    for (auto& s : flood) s = b.add(320, 512, 1);
    b.step();
    Sequence* other = b.add(64, 512, 2);
    std::vector<Sequence*> turns;
    for (int i = 0; i < 6; ++i) {
        turns.push_back(b.plan().back().sequence);
        b.step();
    }
    EXPECT_THAT(turns, ElementsAre(other, flood[1], other, flood[2], flood[0], flood[1]));
}

TEST(Scheduler, WhoSendsOneShortPromptAfterTheOtherDoesNotStarveALongOne) {
    Bench b({.max_sequences = 4, .max_step_tokens = 32, .max_step_rows = 4, .max_length = 512}, 64);
    Sequence* long_one = b.add(320, 321, 1);
    int steps = 0;
    for (; steps < 40 && b.scheduler.num_running() + b.scheduler.num_waiting() > 0 && long_one->computed < 319; ++steps) {
        if (b.scheduler.num_running() + b.scheduler.num_waiting() < 2) b.add(32, 33, 2);
        b.step();
        if (b.scheduler.empty()) break;
        bool there = false;
        b.scheduler.for_each([&](Sequence& s) { there |= &s == long_one; });
        if (!there) break;
    }
    EXPECT_LE(steps, 21) << "every second turn is its own";
}

TEST(Scheduler, WhoWaitsForBlocksIsOvertakenByAFewAndThenByNobody) {
    Bench b({.max_sequences = 8, .max_step_tokens = 512, .max_step_rows = 8, .max_length = 128}, 5);
    Sequence* running = b.add(64, 128);  // two blocks, and a third as it grows
    b.step();
    Sequence* large = b.add(100, 128);  // four, and one to spare: waits
    int overtook = 0;
    for (; overtook < 40; ++overtook) {
        b.add(1, 2);  // comes and goes
        b.step();
        if (b.scheduler.num_waiting() == 2) break;
        ASSERT_GT(running->length(), 0);
        if (running->length() > 120) break;
    }
    EXPECT_EQ(overtook, 16);
    b.scheduler.remove(running);
    EXPECT_EQ(b.plan().at(0).sequence, large);
}

TEST(Scheduler, RunsNoMoreSequencesThanAllowed) {
    Bench b({.max_sequences = 2, .max_step_tokens = 100, .max_step_rows = 2, .max_length = 32}, 16);
    for (int i = 0; i < 5; ++i) b.add(2, 32);
    EXPECT_EQ(b.plan().size(), 2u);
    EXPECT_EQ(b.scheduler.num_running(), 2);
    EXPECT_EQ(b.scheduler.num_waiting(), 3);
}

TEST(Scheduler, PreemptsWhoWasAdmittedLastWhenBlocksRunOut) {
    Bench b({.max_sequences = 2, .max_step_tokens = 512, .max_step_rows = 2, .max_length = 128}, 4);
    Sequence* first = b.add(32, 128);
    Sequence* last = b.add(32, 128);
    bool seen = false;
    for (int steps = 0; !b.scheduler.empty(); ++steps) {
        ASSERT_LT(steps, 1000) << "no end in sight";
        b.step();
        if (b.scheduler.num_preemptions() == 0 || seen) continue;
        seen = true;
        EXPECT_EQ(last->computed, 0);
        EXPECT_THAT(last->blocks, IsEmpty());
        EXPECT_GT(last->generated(), 0) << "what was drawn is kept";
        EXPECT_GT(first->computed, 32);
    }
    EXPECT_TRUE(seen);
    EXPECT_EQ(b.scheduler.pool().num_in_use(), 0);
}

TEST(Scheduler, PreemptsItselfWhenItWasTheLast) {
    Bench b({.max_sequences = 3, .max_step_tokens = 512, .max_step_rows = 3, .max_length = 96}, 6);
    Sequence* first = b.add(32, 96);   // one block, and another with its next token
    Sequence* second = b.add(32, 96);  // likewise
    Sequence* last = b.add(60, 96);    // two blocks: with its fifth token it is the first to find none left
    for (int i = 0; i < 5; ++i) b.step();
    ASSERT_EQ(last->length(), 65);
    ASSERT_EQ(b.scheduler.pool().num_available(), 0);
    ASSERT_EQ(b.scheduler.num_preemptions(), 0);
    EXPECT_THAT(b.plan(), ElementsAre(work(first, 1, 1), work(second, 1, 1)));
    EXPECT_EQ(b.scheduler.num_preemptions(), 1);
    EXPECT_EQ(b.scheduler.num_running(), 2);
    EXPECT_EQ(first->computed, 36) << "the others keep what they have";
    EXPECT_EQ(second->computed, 36);
    EXPECT_EQ(last->computed, 0);
    EXPECT_EQ(last->generated(), 5) << "what was drawn is kept";
    EXPECT_THAT(last->blocks, IsEmpty());
    b.scheduler.check_integrity();
}

TEST(Scheduler, TakesOutASequenceAtEveryStage) {
    Bench b({.max_sequences = 2, .max_step_tokens = 8, .max_step_rows = 2, .max_length = 64}, 8);
    Sequence* decoding = b.add(2, 64);
    b.step();
    Sequence* prefilling = b.add(30, 64);
    Sequence* queued = b.add(5, 64);
    b.step();
    ASSERT_EQ(prefilling->computed, 7);
    EXPECT_EQ(b.scheduler.remove(queued)->length(), 5);
    b.scheduler.check_integrity();
    EXPECT_EQ(b.scheduler.remove(prefilling)->length(), 30);
    b.scheduler.check_integrity();
    EXPECT_EQ(b.scheduler.pool().num_in_use(), 1);
    b.scheduler.remove(decoding);
    EXPECT_TRUE(b.scheduler.empty());
    EXPECT_EQ(b.scheduler.pool().num_in_use(), 0);
    EXPECT_THAT(b.plan(), IsEmpty());
}

TEST(Scheduler, LeavesOutOfAccountWhoIsTakenOutBetweenPlanAndCommit) {
    Bench b({.max_sequences = 2, .max_step_tokens = 8, .max_step_rows = 2, .max_length = 64}, 8);
    Sequence* first = b.add(2, 64);
    Sequence* second = b.add(2, 64);
    const Plan& plan = b.scheduler.plan(kAll);
    ASSERT_EQ(plan.work.size(), 2u);
    const auto outcomes = b.device.run(plan);
    b.scheduler.remove(first);
    const auto& committed = b.scheduler.commit(outcomes);
    ASSERT_EQ(committed.size(), 1u);
    EXPECT_EQ(committed[0].sequence, second);
    EXPECT_EQ(second->computed, 2);
    EXPECT_EQ(second->length(), 3);
}

}  // namespace
}  // namespace hearth::testing
