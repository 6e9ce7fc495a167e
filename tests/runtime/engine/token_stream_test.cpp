#include "runtime/engine/token_stream.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "runtime/engine/sequence.h"

namespace hearth {
namespace {

TokenEvent ended(FinishReason reason) {
    TokenEvent event;
    event.finish = reason;
    return event;
}

TEST(TokenStream, GivesTokensInOrderAndThenTheEndAgainAndAgain) {
    TokenChannel channel(3, 4);
    channel.push(7, {});
    channel.push(8, {});
    channel.finish(ended(FinishReason::kStop), {});
    EXPECT_EQ(channel.next(-1)->token, 7);
    EXPECT_EQ(channel.next(0)->token, 8);
    for (int i = 0; i < 3; ++i) {
        const auto end = channel.next(0);
        ASSERT_TRUE(end && end->finish);
        EXPECT_EQ(*end->finish, FinishReason::kStop);
        EXPECT_EQ(end->token, -1);
    }
}

TEST(TokenStream, GivesNothingWhenTheTimePassed) {
    TokenChannel channel(1, 1);
    EXPECT_EQ(channel.next(0), std::nullopt);
    EXPECT_EQ(channel.next(5), std::nullopt);
}

TEST(TokenStream, WakesAReaderThatWaits) {
    TokenChannel channel(1, 1000);
    std::vector<int32_t> read;
    std::thread reader([&] {
        while (true) {
            const auto event = channel.next(-1);
            if (event->finish) return;
            read.push_back(event->token);
        }
    });
    for (int32_t i = 0; i < 1000; ++i) channel.push(i, {});
    channel.finish(ended(FinishReason::kLength), {});
    reader.join();
    ASSERT_EQ(read.size(), 1000u);
    for (int32_t i = 0; i < 1000; ++i) EXPECT_EQ(read[static_cast<size_t>(i)], i);
}

TEST(TokenStream, CancelsWhenItsReaderLetsGo) {
    auto channel = std::make_shared<TokenChannel>(1, 1);
    auto stream = make_token_stream(channel);
    auto copy = stream;
    stream.reset();
    EXPECT_FALSE(channel->cancelled());
    copy.reset();
    EXPECT_TRUE(channel->cancelled());
}

TEST(TokenStream, OutlivesTheEnginesSide) {
    auto channel = std::make_shared<TokenChannel>(2, 1);
    const auto stream = make_token_stream(channel);
    RequestStats stats;
    stats.prompt_tokens = 2;
    stats.generated_tokens = 1;
    channel->push(5, stats);
    channel->finish(ended(FinishReason::kLength), stats);
    channel.reset();
    EXPECT_EQ(stream->next()->token, 5);
    EXPECT_EQ(stream->next()->finish, FinishReason::kLength);
    EXPECT_EQ(stream->stats().generated_tokens, 1);
}

TEST(TokenChannel, TellsTheReaderOfASequenceThatWasLost) {
    auto sequence = std::make_unique<Sequence>();
    sequence->channel = std::make_shared<TokenChannel>(1, 1);
    const auto stream = make_token_stream(sequence->channel);
    sequence.reset();
    EXPECT_EQ(*stream->next(0)->finish, FinishReason::kError);
}

}  // namespace
}  // namespace hearth
