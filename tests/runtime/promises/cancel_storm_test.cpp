// Cancels at any instant free what they held and change nobody else's answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "runtime/engine/model_engine.h"
#include "runtime/schedule/scheduler.h"
#include "tests/runtime/engine/mixed_requests.h"
#include "tests/runtime/engine/transcript.h"
#include "tests/runtime/schedule/fake_device.h"
#include "tests/runtime/tiny_model.h"
#include "tests/support/wait_until.h"

namespace hearth::testing {
namespace {

constexpr int kKinds = 20;

TEST(CancelStorm, SurvivorsAnswersAreTheSameAndNoBlockIsLost) {
    const auto model = tiny_model();
    std::vector<Transcript> alone;
    for (int n = 0; n < kKinds; ++n) {
        ModelEngine engine(model, {.context = kMixedContext, .max_drafts = 0});
        alone.push_back(run_request(engine, mixed_request(n, 61)));
    }
    std::mt19937 random(12);
    ModelEngine engine(model,
                       {.context = kMixedContext,
                        .max_sequences = 5,
                        .max_waiting = 1000,
                        .max_waiting_tokens = 1'000'000,
                        .max_step_tokens = 48,
                        .num_blocks = 10},
                       model);
    const int cancels = is_trial() ? 2000 : 200;
    int64_t queued = 0, begun = 0;
    for (int done = 0; done < cancels;) {
        std::vector<std::pair<int, std::shared_ptr<TokenStream>>> survivors, victims;
        for (int i = 0; i < 40; ++i) {
            const int n = static_cast<int>(random() % kKinds);
            (random() % 4 == 0 ? survivors : victims).emplace_back(n, submit_or_throw(engine, mixed_request(n, 61)));
        }
        std::ranges::shuffle(victims, random);
        for (auto& [n, stream] : victims) {
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
            if (random() % 4 == 0) {
                stream.reset();  // whose reader lets go
            } else {
                stream->cancel();
            }
            ++done;
        }
        for (const auto& [n, stream] : victims) {
            if (!stream) continue;
            const Transcript got = read_transcript(*stream);
            EXPECT_EQ(difference(alone[static_cast<size_t>(n)], got, got.end.finish == FinishReason::kCancelled), "");
            if (got.end.finish == FinishReason::kCancelled) (got.tokens.empty() ? queued : begun) += 1;
        }
        for (const auto& [n, stream] : survivors) EXPECT_EQ(difference(alone[static_cast<size_t>(n)], read_transcript(*stream)), "") << n;
        wait_until([&] { return engine.stats().running + engine.stats().waiting == 0; });
        ASSERT_EQ(engine.stats().blocks_in_use, 0);
    }
    EXPECT_GT(engine.stats().cancelled, cancels / 4);
    EXPECT_GT(queued, 0);
    EXPECT_GT(begun, 0);
}

/// The same of the scheduler alone, where each step can be checked.
TEST(CancelStorm, BlocksAndSequencesAgreeAfterEveryRemoval) {
    std::mt19937 random(5);
    Scheduler scheduler({.max_sequences = 4, .max_step_tokens = 40, .max_step_rows = 20, .max_length = 160}, 8);
    FakeDevice device;
    int removed = 0;
    while (removed < 200) {
        while (scheduler.num_waiting() < 4) {
            Request request;
            request.prompt.assign(1 + random() % 100, static_cast<int32_t>(random() % 2));
            request.owner = random() % 2;
            request.max_tokens = 60;
            scheduler.add(sequence_of(std::move(request), 160));
        }
        const auto remove_one = [&] {
            std::vector<Sequence*> there;
            scheduler.for_each([&](Sequence& s) { there.push_back(&s); });
            scheduler.remove(there[random() % there.size()]);
            scheduler.check_integrity();
            ++removed;
        };
        const Plan& plan = scheduler.plan(64);
        if (random() % 3 == 0) remove_one();  // between plan and run
        const auto outcomes = device.run(plan);
        const auto committed = scheduler.commit(outcomes);
        for (const Committed& c : committed) {
            if (c.finish) scheduler.remove(c.sequence);
        }
        scheduler.check_integrity();
        if (random() % 3 == 0 && !scheduler.empty()) remove_one();
    }
    while (!scheduler.empty()) scheduler.remove(scheduler.oldest());
    EXPECT_EQ(scheduler.pool().num_in_use(), 0);
}

}  // namespace
}  // namespace hearth::testing
