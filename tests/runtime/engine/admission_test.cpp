// Who may wait, for how long, and what is said to who may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "base/error.h"
#include "runtime/engine/model_engine.h"
#include "runtime/schedule/sequence.h"
#include "tests/runtime/allocation_failure.h"
#include "tests/runtime/engine/requests.h"
#include "tests/runtime/engine/transcript.h"
#include "tests/runtime/test_backend.h"
#include "tests/runtime/tiny_model.h"
#include "tests/support/wait_until.h"

namespace hearth::testing {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Admission, RefusesWhatIsMoreThanMayWaitAndTakesItLater) {
    GatedSteps gate;
    ModelEngine engine(gated_model(), {.max_sequences = 1, .max_waiting = 2});
    const auto running = submit_or_throw(engine, short_request({1}, 3));
    gate.wait_until_held();
    const auto first = submit_or_throw(engine, short_request({2}, 1)), second = submit_or_throw(engine, short_request({3}, 1));
    const Admission third = engine.submit(short_request({4}, 1));
    ASSERT_TRUE(third.refusal);
    EXPECT_EQ(third.stream, nullptr);
    EXPECT_EQ(third.refusal->reason, Refusal::Reason::kQueueFull);
    EXPECT_THAT(third.refusal->message, HasSubstr("2 requests wait, at most 2 may"));
    EXPECT_GE(third.refusal->retry_after_s, 1);
    EXPECT_LE(third.refusal->retry_after_s, 60);
    EXPECT_EQ(engine.stats().refused, 1);
    gate.open();
    for (const auto& stream : {running, first, second}) EXPECT_EQ(*read_all(*stream).end.finish, FinishReason::kLength);
    EXPECT_EQ(run_request(engine, short_request({4}, 1)).tokens.size(), 1u);
}

TEST(Admission, RefusesMoreTokensThanMayWaitButNotALongPromptAlone) {
    GatedSteps gate;
    ModelEngine engine(gated_model(), {.max_sequences = 1, .max_waiting_tokens = 50});
    const auto running = submit_or_throw(engine, short_request({1}, 2));
    gate.wait_until_held();
    const auto long_one = submit_or_throw(engine, short_request(std::vector<int32_t>(60, 1), 1));
    const Admission refused = engine.submit(short_request({1}, 1));
    ASSERT_TRUE(refused.refusal);
    EXPECT_EQ(refused.refusal->reason, Refusal::Reason::kTooManyTokens);
    for (const char* number : {"60", "1", "50"}) EXPECT_THAT(refused.refusal->message, HasSubstr(number));
    gate.open();
    EXPECT_EQ(read_all(*long_one).tokens.size(), 1u);
    EXPECT_EQ(read_all(*running).tokens.size(), 2u);
}

TEST(Admission, WhatWaitsAndRunsIsCountedBeforeTheFirstStepEnds) {
    GatedSteps gate;
    ModelEngine engine(gated_model(), {});
    const auto stream = submit_or_throw(engine, short_request({1}, 1));
    gate.wait_until_held();
    std::this_thread::sleep_for(2ms);
    EXPECT_EQ(engine.stats().running + engine.stats().waiting, 1);
    EXPECT_GT(engine.stats().since_step_s, 0) << "a first step that hangs must be seen";
    gate.open();
    read_all(*stream);
    EXPECT_EQ(engine.stats().running + engine.stats().waiting, 0);
    EXPECT_EQ(engine.stats().since_step_s, 0);
}

TEST(Admission, ADeadlineEndsWhatRunsAndWhatWaits) {
    GatedSteps gate;
    ModelEngine engine(gated_model(), {.max_sequences = 1});
    Request request = short_request({1}, 100);
    request.deadline = Sequence::Clock::now() + 1h;
    const auto in_time = submit_or_throw(engine, request);
    gate.wait_until_held();
    request.deadline = Sequence::Clock::now() - 1ms;
    const auto queued = submit_or_throw(engine, request);
    gate.let_through();
    const WholeAnswer never_begun = read_all(*queued);
    EXPECT_EQ(*never_begun.end.finish, FinishReason::kTimeout);
    EXPECT_THAT(never_begun.end.error, HasSubstr("deadline"));
    EXPECT_TRUE(never_begun.tokens.empty());
    in_time->cancel();
    gate.let_through();
    EXPECT_EQ(*read_all(*in_time).end.finish, FinishReason::kCancelled);

    request.deadline = Sequence::Clock::now() + 60ms;
    const auto running = submit_or_throw(engine, request);
    gate.wait_until_held();
    std::this_thread::sleep_until(*request.deadline + 1ms);
    gate.open();
    const WholeAnswer cut = read_all(*running);
    EXPECT_EQ(*cut.end.finish, FinishReason::kTimeout);
    EXPECT_EQ(cut.tokens.size(), 1u) << "the step that ran still counts";
    EXPECT_EQ(engine.stats().blocks_in_use, 0);
}

TEST(Admission, WhoWaitedTooLongForAFirstStepIsToldAndWhoRunsIsNot) {
    GatedSteps gate;
    ModelEngine engine(gated_model(), {.max_sequences = 1, .max_wait_ms = 20});
    const auto running = submit_or_throw(engine, short_request({1}, 3));
    gate.wait_until_held();
    const auto queued = submit_or_throw(engine, short_request({2}, 3));
    std::this_thread::sleep_for(25ms);
    gate.open();
    const WholeAnswer late = read_all(*queued);
    EXPECT_EQ(*late.end.finish, FinishReason::kTimeout);
    EXPECT_THAT(late.end.error, HasSubstr("waited"));
    EXPECT_EQ(read_all(*running).tokens.size(), 3u);
}

/// As many as may wait can be taken at once: none that ended is still counted.
void expect_an_empty_gate(ModelEngine& engine, GatedSteps& gate) {
    wait_until([&] { return engine.stats().running + engine.stats().waiting == 0; });
    EXPECT_EQ(engine.stats().blocks_in_use, 0);
    std::vector<std::shared_ptr<TokenStream>> streams;
    for (int64_t i = 0; i < engine.options().max_waiting; ++i) {
        Admission admission = engine.submit(short_request({1}, 1));
        ASSERT_FALSE(admission.refusal) << i << ": " << admission.refusal->message;
        streams.push_back(std::move(admission.stream));
    }
    gate.open();
    for (const auto& stream : streams) EXPECT_EQ(*read_all(*stream).end.finish, FinishReason::kLength);
}

TEST(Admission, AfterAnyMixtureOfEndsNobodyIsStillCounted) {
    GatedSteps gate;
    gate.open();
    ModelEngine engine(gated_model(), {.context = 96, .max_sequences = 3, .max_waiting = 12, .num_blocks = 4});
    std::mt19937 random(4);
    std::vector<std::shared_ptr<TokenStream>> streams;
    int64_t refused = 0;
    for (int i = 0; i < 200; ++i) {
        Request request = request_number(static_cast<int>(random() % 20));
        request.max_tokens = static_cast<int64_t>(random() % 6);
        if (random() % 4 == 0) request.deadline = Sequence::Clock::now() + std::chrono::microseconds(random() % 500);
        Admission admission = engine.submit(std::move(request));
        refused += admission.refusal.has_value();
        if (admission.stream && random() % 3 == 0) admission.stream->cancel();
        if (admission.stream && random() % 3 > 0) streams.push_back(admission.stream);
    }
    for (const auto& stream : streams) read_all(*stream);
    EXPECT_EQ(engine.stats().refused, refused);
    expect_an_empty_gate(engine, gate);
}

TEST(Admission, ARequestThatFindsNoMemoryLeavesNoTrace) {
    GatedSteps gate;
    gate.open();
    ModelEngine engine(gated_model(), {.max_sequences = 1, .max_waiting = 40});
    int thrown = 0;
    std::vector<std::size_t> sizes(140, 512);  // a deque takes such a piece once in 64 times
    for (std::size_t size = 8; size <= 2048; size += 8) sizes.push_back(size);
    for (const std::size_t size : sizes) {
        const AllocationFailure none(size, size + 7);
        std::thread([&] {
            try {
                const auto stream = submit_or_throw(engine, short_request({1, 2, 3}, 2));
                stream->cancel();
                while (!stream->next()->finish) {}
            } catch (const std::bad_alloc&) {
                ++thrown;
            } catch (const Error& error) {
                ADD_FAILURE() << error.what();
            }
        }).join();
    }
    EXPECT_GT(thrown, 2);
    expect_an_empty_gate(engine, gate);
}

}  // namespace
}  // namespace hearth::testing
