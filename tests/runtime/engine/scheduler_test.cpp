#include "runtime/engine/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace hearth {
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;
using ::testing::IsEmpty;

std::unique_ptr<Sequence> sequence_of(int64_t prompt, int64_t max_length) {
    auto s = std::make_unique<Sequence>();
    s->tokens.assign(static_cast<size_t>(prompt), 0);
    s->prompt_tokens = prompt;
    s->max_length = max_length;
    return s;
}

/// Adds a sequence and keeps a pointer to it.
Sequence* add(Scheduler& scheduler, int64_t prompt, int64_t max_length) {
    auto s = sequence_of(prompt, max_length);
    Sequence* out = s.get();
    scheduler.add(std::move(s));
    return out;
}

/// Runs one step: everybody who may draw gets a token; who is full ends. Returns how many tokens were computed.
int64_t step(Scheduler& scheduler) {
    const auto work = scheduler.plan();
    int64_t tokens = 0;
    for (const auto& w : work) tokens += w.count;
    scheduler.commit();
    for (const auto& w : work) {
        if (!w.draws) continue;
        w.sequence->tokens.push_back(1);
        if (w.sequence->length() == w.sequence->max_length) scheduler.remove(w.sequence);
    }
    scheduler.check_integrity();
    return tokens;
}

TEST(Scheduler, TakesAllDecodesAndFillsTheRestWithPrefill) {
    Scheduler scheduler({.max_sequences = 4, .max_step_tokens = 10, .max_length = 64}, 16);
    Sequence* a = add(scheduler, 3, 64);
    EXPECT_THAT(scheduler.plan(), ElementsAre(FieldsAre(a, 3, true)));
    scheduler.commit();
    a->tokens.push_back(1);
    Sequence* b = add(scheduler, 25, 64);
    Sequence* c = add(scheduler, 4, 64);
    EXPECT_THAT(scheduler.plan(), ElementsAre(FieldsAre(a, 1, true), FieldsAre(b, 9, false)));
    scheduler.commit();
    a->tokens.push_back(1);
    EXPECT_THAT(scheduler.plan(), ElementsAre(FieldsAre(a, 1, true), FieldsAre(b, 9, false)));
    scheduler.commit();
    a->tokens.push_back(1);
    EXPECT_THAT(scheduler.plan(), ElementsAre(FieldsAre(a, 1, true), FieldsAre(b, 7, true), FieldsAre(c, 2, false)));
}

TEST(Scheduler, AdmitsInOrderOfArrivalAndLetsNobodyOvertake) {
    Scheduler scheduler({.max_sequences = 8, .max_step_tokens = 512, .max_length = 128}, 4);
    Sequence* a = add(scheduler, 64, 65);   // two blocks
    Sequence* b = add(scheduler, 64, 128);  // two, and one to spare for a: waits
    Sequence* c = add(scheduler, 1, 2);     // would fit, but b was first
    EXPECT_THAT(scheduler.plan(), ElementsAre(FieldsAre(a, 64, true)));
    scheduler.commit();
    EXPECT_EQ(scheduler.num_waiting(), 2);
    scheduler.remove(a);
    EXPECT_THAT(scheduler.plan(), ElementsAre(FieldsAre(b, 64, true), FieldsAre(c, 1, true)));
}

TEST(Scheduler, RunsNoMoreSequencesThanAllowed) {
    Scheduler scheduler({.max_sequences = 2, .max_step_tokens = 100, .max_length = 32}, 16);
    for (int i = 0; i < 5; ++i) add(scheduler, 2, 32);
    EXPECT_EQ(scheduler.plan().size(), 2u);
    EXPECT_EQ(scheduler.num_running(), 2);
    EXPECT_EQ(scheduler.num_waiting(), 3);
}

TEST(Scheduler, PreemptsTheYoungestWhenBlocksRunOut) {
    Scheduler scheduler({.max_sequences = 2, .max_step_tokens = 512, .max_length = 128}, 4);
    Sequence* old = add(scheduler, 32, 128);
    Sequence* young = add(scheduler, 32, 128);
    std::vector<int64_t> computed;
    bool seen = false;
    while (!scheduler.empty()) {
        step(scheduler);
        if (scheduler.num_preemptions() == 1 && !seen) {
            seen = true;
            EXPECT_EQ(young->computed, 0);
            EXPECT_THAT(young->blocks, IsEmpty());
            EXPECT_GT(young->generated(), 0) << "what was drawn is kept";
            EXPECT_GT(old->computed, 32);
        }
        ASSERT_LT(computed.size(), 1000u) << "no end in sight";
        computed.push_back(0);
    }
    EXPECT_TRUE(seen);
    EXPECT_EQ(scheduler.pool().num_in_use(), 0);
}

TEST(Scheduler, PreemptsItselfWhenItIsTheYoungest) {
    Scheduler scheduler({.max_sequences = 3, .max_step_tokens = 512, .max_length = 96}, 6);
    Sequence* first = add(scheduler, 32, 96);   // one block, and another with its next token
    Sequence* second = add(scheduler, 32, 96);  // likewise
    Sequence* young = add(scheduler, 60, 96);   // two blocks: with its fifth token it is the first to find none left
    for (int i = 0; i < 5; ++i) step(scheduler);
    ASSERT_EQ(young->length(), 65);
    ASSERT_EQ(scheduler.pool().num_available(), 0);
    ASSERT_EQ(scheduler.num_preemptions(), 0);
    EXPECT_THAT(scheduler.plan(), ElementsAre(FieldsAre(first, 1, true), FieldsAre(second, 1, true)));
    EXPECT_EQ(scheduler.num_preemptions(), 1);
    EXPECT_EQ(scheduler.num_running(), 2);
    EXPECT_EQ(first->computed, 36) << "the older ones keep what they have";
    EXPECT_EQ(second->computed, 36);
    EXPECT_EQ(young->computed, 0);
    EXPECT_EQ(young->generated(), 5) << "what was drawn is kept";
    EXPECT_THAT(young->blocks, IsEmpty());
    scheduler.check_integrity();
}

TEST(Scheduler, TakesOutASequenceAtEveryStage) {
    Scheduler scheduler({.max_sequences = 2, .max_step_tokens = 8, .max_length = 64}, 8);
    Sequence* decoding = add(scheduler, 2, 64);
    step(scheduler);
    Sequence* prefilling = add(scheduler, 30, 64);
    Sequence* queued = add(scheduler, 5, 64);
    step(scheduler);
    ASSERT_EQ(prefilling->computed, 7);
    EXPECT_EQ(scheduler.remove(queued)->length(), 5);
    scheduler.check_integrity();
    EXPECT_EQ(scheduler.remove(prefilling)->computed, 7);
    scheduler.check_integrity();
    EXPECT_EQ(scheduler.pool().num_in_use(), 1);
    scheduler.remove(decoding);
    EXPECT_TRUE(scheduler.empty());
    EXPECT_EQ(scheduler.pool().num_in_use(), 0);
    EXPECT_THAT(scheduler.plan(), IsEmpty());
}

TEST(Scheduler, ForgetsThePlannedWorkOfWhoIsTakenOut) {
    Scheduler scheduler({.max_sequences = 2, .max_step_tokens = 8, .max_length = 64}, 8);
    Sequence* a = add(scheduler, 2, 64);
    Sequence* b = add(scheduler, 2, 64);
    ASSERT_EQ(scheduler.plan().size(), 2u);
    scheduler.remove(a);
    scheduler.commit();
    EXPECT_EQ(b->computed, 2);
}

TEST(Scheduler, BringsEveryoneToTheEndUnderRandomUse) {
    std::mt19937 random(3);
    int64_t preemptions = 0;
    for (int round = 0; round < 30; ++round) {
        const int64_t sequences = 1 + random() % 6, context = 40 + random() % 200;
        const auto blocks = static_cast<int32_t>((context + 31) / 32 + random() % 6);
        Scheduler scheduler({sequences, sequences + static_cast<int64_t>(random() % 50), context}, blocks);
        int added = 0, steps = 0;
        while (added < 40 || !scheduler.empty()) {
            if (added < 40 && random() % 4 == 0) {
                const int64_t prompt = 1 + random() % (context - 1);
                add(scheduler, prompt, prompt + 1 + random() % (context - prompt))->sampling.seed = added++;  // its number
            }
            if (scheduler.empty()) continue;
            ASSERT_GT(step(scheduler), 0);
            std::vector<Sequence*> left;
            scheduler.for_each([&](Sequence& s) { left.push_back(&s); });
            for (size_t i = 1; i < left.size(); ++i) {  // arrival order holds through every preemption
                ASSERT_LT(left[i - 1]->sampling.seed, left[i]->sampling.seed);
            }
            if (!left.empty() && random() % 50 == 0) {
                scheduler.remove(left[random() % left.size()]);
                scheduler.check_integrity();
            }
            ASSERT_LT(++steps, 100'000);
        }
        EXPECT_EQ(scheduler.pool().num_in_use(), 0);
        preemptions += scheduler.num_preemptions();
    }
    EXPECT_GT(preemptions, 0);
}

}  // namespace
}  // namespace hearth
