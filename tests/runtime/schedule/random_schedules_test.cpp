// Whatever the schedule, everybody gets the answer that they would get alone, and no block is lost.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "runtime/schedule/scheduler.h"
#include "tests/runtime/schedule/fake_device.h"

namespace hearth::testing {
namespace {

/// Requests that share beginnings, of several owners; some want scores, some end at a token.
Request random_request(std::mt19937& random, int64_t context) {
    Request request;
    request.owner = random() % 3;
    const int64_t shared = static_cast<int64_t>(random() % static_cast<uint64_t>(context - 2));
    request.prompt.assign(static_cast<size_t>(shared / 32 * 32), static_cast<int32_t>(random() % 2));
    const int64_t rest =
        1 + static_cast<int64_t>(random() % static_cast<uint64_t>(context - 1 - static_cast<int64_t>(request.prompt.size())));
    for (int64_t i = 0; i < std::min<int64_t>(rest, 40); ++i) request.prompt.push_back(static_cast<int32_t>(random() % 2));
    request.max_tokens = static_cast<int64_t>(random() % 80) - 1;
    if (random() % 4 == 0) request.stop_tokens = {static_cast<int32_t>(random() % FakeDevice::kVocab)};
    request.score_prompt = random() % 8 == 0;
    if (random() % 16 == 0) request.max_tokens = 0;
    return request;
}

/// Some are right, some are not, some run beyond the first wrong one.
void draft(Scheduler& scheduler, std::mt19937& random) {
    int64_t room = scheduler.draft_room();
    scheduler.for_each([&](Sequence& s) {
        if (s.blocks.empty() || s.remaining() != 1 || !s.draws()) return;
        for (auto left = static_cast<int64_t>(random() % 5); left > 0 && room > 0 && s.length() + s.drafted + 1 < s.max_length;
             --left, --room) {
            const int32_t right = FakeDevice::next_token(s.tokens);
            s.tokens.push_back(random() % 3 == 0 ? static_cast<int32_t>(random() % FakeDevice::kVocab) : right);
            ++s.drafted;
        }
    });
}

struct Totals {
    int64_t preemptions = 0, cached = 0, kept = 0, refused_drafts = 0;
};

void run_round(std::mt19937& random, int64_t window, Totals& totals) {
    const int64_t sequences = 1 + random() % 6, context = 40 + random() % 200;
    const auto blocks = static_cast<int32_t>((context + 31) / 32 + random() % 12);
    const int64_t tokens = sequences + static_cast<int64_t>(random() % 80);
    Scheduler scheduler({.max_sequences = sequences,
                         .max_step_tokens = tokens,
                         .max_step_rows = sequences + static_cast<int64_t>(random() % 20),
                         .max_length = context,
                         .window = window},
                        blocks);
    FakeDevice device(window);
    std::map<const Sequence*, std::pair<Request, std::vector<int32_t>>> answers;
    std::map<const Sequence*, int64_t> scored;
    int added = 0, steps = 0;
    while (added < 40 || !scheduler.empty()) {
        if (added < 40 && random() % 4 == 0) {
            const Request request = random_request(random, context);
            auto made = sequence_of(request, context);
            ++added;
            if (made->goal_length() > 0) {
                answers[made.get()] = {request, {}};
                scored[made.get()] = 0;
                scheduler.add(std::move(made));
            }
        }
        if (scheduler.empty()) continue;
        draft(scheduler, random);
        const Plan& plan = scheduler.plan(1 + random() % 64);
        ASSERT_FALSE(plan.work.empty());
        ASSERT_LE(plan.tokens, tokens);
        for (const Committed& c : std::vector(scheduler.commit(device.run(plan)))) {
            auto& [request, answer] = answers.at(c.sequence);
            for (const Token& token : c.appended) answer.push_back(token.id);
            for (const Token& token : c.scored) ASSERT_EQ(token.id, request.prompt.at(static_cast<size_t>(++scored[c.sequence])));
            if (!c.finish) continue;
            ASSERT_TRUE(*c.finish == FinishReason::kLength || *c.finish == FinishReason::kStop);
            EXPECT_EQ(answer, answer_alone(request, context));
            if (request.score_prompt) {
                EXPECT_EQ(scored[c.sequence], std::ssize(request.prompt) - 1);
            }
            const auto owned = scheduler.remove(c.sequence);
            EXPECT_LE(owned->cached_tokens, owned->prompt_tokens - 1);
            totals.cached += owned->cached_tokens;
            totals.kept += owned->kept_tokens;
            totals.refused_drafts += owned->drafted_tokens - owned->kept_tokens;
        }
        scheduler.check_integrity();
        if (::testing::Test::HasFatalFailure()) return;
        if (random() % 50 == 0 && !scheduler.empty()) {
            std::vector<Sequence*> left;
            scheduler.for_each([&](Sequence& s) { left.push_back(&s); });
            scheduler.remove(left[random() % left.size()]);
            scheduler.check_integrity();
        }
        ASSERT_LT(++steps, 100'000);
    }
    EXPECT_EQ(scheduler.pool().num_in_use(), 0);
    totals.preemptions += scheduler.num_preemptions();
}

TEST(RandomSchedules, GiveEverybodyTheAnswerThatTheyWouldGetAlone) {
    std::mt19937 random(3);
    Totals totals;
    for (int round = 0; round < 40; ++round) {
        ASSERT_NO_FATAL_FAILURE(run_round(random, round % 3 == 2 ? 1 + random() % 100 : 0, totals)) << "round " << round;
    }
    EXPECT_GT(totals.preemptions, 0);
    EXPECT_GT(totals.cached, 0);
    EXPECT_GT(totals.kept, 0);
    EXPECT_GT(totals.refused_drafts, 0);
}

}  // namespace
}  // namespace hearth::testing
