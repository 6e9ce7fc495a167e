#include "runtime/engine/token_channel.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "runtime/schedule/sequence.h"

namespace hearth {
namespace {

TokenEvent ended(FinishReason reason) {
    TokenEvent event;
    event.finish = reason;
    return event;
}

/// What a step gave.
std::vector<Token> token(int32_t id) { return {{.id = id, .log_probability = 0, .top = {}}}; }

TEST(TokenStream, GivesTokensInOrderAndThenTheEndAgainAndAgain) {
    TokenChannel channel(3);
    channel.push(token(7), {});
    channel.push(token(8), {});
    channel.finish(ended(FinishReason::kStop), {});
    EXPECT_EQ(channel.next(-1)->token.id, 7);
    EXPECT_EQ(channel.next(0)->token.id, 8);
    for (int i = 0; i < 3; ++i) {
        const auto end = channel.next(0);
        ASSERT_TRUE(end && end->finish);
        EXPECT_EQ(*end->finish, FinishReason::kStop);
        EXPECT_EQ(end->token.id, -1);
    }
}

TEST(TokenStream, GivesNothingWhenTheTimePassed) {
    TokenChannel channel(1);
    EXPECT_EQ(channel.next(0), std::nullopt);
    EXPECT_EQ(channel.next(5), std::nullopt);
}

TEST(TokenStream, WakesAReaderThatWaits) {
    TokenChannel channel(1);
    std::vector<int32_t> read;
    std::thread reader([&] {
        while (true) {
            const auto event = channel.next(-1);
            if (event->finish) return;
            read.push_back(event->token.id);
        }
    });
    for (int32_t i = 0; i < 1000; ++i) channel.push(token(i), {});
    channel.finish(ended(FinishReason::kLength), {});
    reader.join();
    ASSERT_EQ(read.size(), 1000u);
    for (int32_t i = 0; i < 1000; ++i) EXPECT_EQ(read[static_cast<size_t>(i)], i);
}

TEST(TokenStream, CancelsWhenItsReaderLetsGo) {
    auto channel = std::make_shared<TokenChannel>(1);
    auto stream = make_token_stream(channel);
    auto copy = stream;
    stream.reset();
    EXPECT_FALSE(channel->cancelled());
    copy.reset();
    EXPECT_TRUE(channel->cancelled());
}

TEST(TokenStream, OutlivesTheEnginesSide) {
    auto channel = std::make_shared<TokenChannel>(2);
    const auto stream = make_token_stream(channel);
    RequestStats stats;
    stats.prompt_tokens = 2;
    stats.generated_tokens = 1;
    channel->push(token(5), stats);
    channel->finish(ended(FinishReason::kLength), stats);
    channel.reset();
    EXPECT_EQ(stream->next()->token.id, 5);
    EXPECT_EQ(stream->next()->finish, FinishReason::kLength);
    EXPECT_EQ(stream->stats().generated_tokens, 1);
}

TEST(TokenChannel, TellsTheReaderOfASequenceThatWasLost) {
    auto sequence = std::make_unique<Sequence>();
    sequence->channel = std::make_shared<TokenChannel>(1);
    const auto stream = make_token_stream(sequence->channel);
    sequence.reset();
    EXPECT_EQ(*stream->next(0)->finish, FinishReason::kError);
}

}  // namespace
}  // namespace hearth
