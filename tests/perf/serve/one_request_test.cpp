// What becomes of one request, whatever a server does with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "perf/serve/run.h"
#include "tests/perf/serve/loads.h"

namespace hearth::perf {
namespace {

using ::hearth::testing::end_events;
using ::hearth::testing::Line;
using ::hearth::testing::Request;
using ::hearth::testing::ScriptedServer;
using ::hearth::testing::text_event;
using ::testing::HasSubstr;

/// What one request makes of an answer.
Outcome outcome_of(const ScriptedServer::Answer& answer, double timeout = 60) {
    ScriptedServer server(answer);
    LoadOptions options = load(server.url(), 1);
    options.timeout = timeout;
    RunResult result = run_load(options, kNever);
    EXPECT_EQ(result.outcomes.size(), 1u);
    EXPECT_EQ(server.requests().size(), 1u) << "nothing is sent twice";
    return result.outcomes.at(0);
}

Outcome outcome_of_text(const std::string& text) {
    return outcome_of([&](const Request&, Line& line) { line.send(text); });
}

const std::string kStreamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

TEST(OneRequest, MeasuresAnAnswer) {
    const Outcome outcome = outcome_of(answer_two_tokens);
    EXPECT_EQ(outcome.ending, Ending::kAnswered) << outcome.message;
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(outcome.chunks, 2);
    EXPECT_EQ(outcome.tokens(), 2);
    EXPECT_EQ(outcome.usage.cached, 6);
    ASSERT_TRUE(outcome.first);
    EXPECT_EQ(outcome.gaps.size(), 1u);
    EXPECT_LE(*outcome.first, outcome.last);
    EXPECT_LE(outcome.last, outcome.whole);
}

TEST(OneRequest, ReadsChunkedAnswersSentByteByByte) {
    const Outcome outcome = outcome_of([](const Request&, Line& line) {
        std::string bytes = "HTTP/1.1 200 OK\r\ncontent-type: TEXT/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (const char c : text_event("x") + end_events(3, 1, 0)) bytes += cat("1\r\n", c, "\r\n");
        for (const char c : bytes + "0\r\n\r\n") line.send({c});
    });
    EXPECT_EQ(outcome.ending, Ending::kAnswered) << outcome.message;
    EXPECT_EQ(outcome.tokens(), 1);
}

TEST(OneRequest, CountsChunksWhereThereIsNoUsage) {
    const Outcome outcome = outcome_of_text(kStreamHead + text_event("a") + text_event("b") + "data: [DONE]\n\n");
    EXPECT_EQ(outcome.ending, Ending::kAnswered);
    EXPECT_FALSE(outcome.usage.completion);
    EXPECT_EQ(outcome.tokens(), 2);
}

TEST(OneRequest, TellsApartHowAConnectionEnds) {
    EXPECT_EQ(outcome_of([](const Request&, Line&) {}).ending, Ending::kClosedUnanswered);
    EXPECT_EQ(outcome_of_text(kStreamHead + text_event("a")).ending, Ending::kCutShort) << "closed in the middle";
    EXPECT_EQ(outcome_of_text(kStreamHead).ending, Ending::kCutShort);
    EXPECT_EQ(outcome_of_text("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nda").ending,
              Ending::kCutShort);
    std::string closed;
    { closed = ScriptedServer(answer_two_tokens).url(); }
    const RunResult result = run_load(load(closed, 3, 2), kNever);
    ASSERT_EQ(result.outcomes.size(), 3u);
    for (const Outcome& outcome : result.outcomes) EXPECT_EQ(outcome.ending, Ending::kNotConnected);
}

TEST(OneRequest, AServerThatNeverAnswersIsLeftAtTheTimeLimit) {
    const auto never = [](const Request&, Line& line) { line.wait_for_client_to_leave(); };
    EXPECT_EQ(outcome_of(never, 0.2).ending, Ending::kTimedOut);
    const Outcome stuck = outcome_of(
        [](const Request&, Line& line) {
            line.begin_stream();
            line.send(text_event("a"));
            line.wait_for_client_to_leave();
        },
        2);
    EXPECT_EQ(stuck.ending, Ending::kTimedOut);
    EXPECT_EQ(stuck.chunks, 1);
    const Outcome open = outcome_of(
        [](const Request&, Line& line) {
            line.begin_stream();
            line.send(text_event("a") + end_events(1, 1, 0));
            line.wait_for_client_to_leave();
        },
        2);
    EXPECT_EQ(open.ending, Ending::kAnswered) << "all was said, though the connection stays open";
}

TEST(OneRequest, HostileAnswersAreMalformed) {
    EXPECT_EQ(outcome_of_text("nonsense\r\n\r\n").ending, Ending::kMalformed);
    EXPECT_EQ(outcome_of_text(kStreamHead + "data: {\"choices\": \n\n").ending, Ending::kMalformed);
    EXPECT_EQ(outcome_of_text(kStreamHead + R"(data: {"usage": {"completion_tokens": 1e999}})" + "\n\n").ending, Ending::kMalformed);
    EXPECT_EQ(outcome_of_text("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi").ending, Ending::kMalformed);
    EXPECT_EQ(outcome_of_text("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n").ending, Ending::kMalformed);
    std::string many = kStreamHead;
    for (int i = 0; i < 100; ++i) many += text_event("a");
    EXPECT_THAT(outcome_of_text(many).message, HasSubstr("at most 32 chunks"));
    const auto endless = [](const std::string& head, const std::string& piece) {
        return outcome_of([&](const Request&, Line& line) {
            line.send(head);
            while (line.send(piece)) {}
        });
    };
    EXPECT_EQ(endless(kStreamHead, std::string(65536, 'x')).ending, Ending::kMalformed) << "a line";
    EXPECT_THAT(endless(kStreamHead, ":\n\n" + std::string(60000, '\n')).message, HasSubstr("answer of at most")) << "comments";
    EXPECT_EQ(endless("HTTP/1.1 200 OK\r\n", "X-A: " + std::string(1000, 'x') + "\r\n").ending, Ending::kMalformed) << "a head";
    EXPECT_EQ(endless("HTTP/1.1 500 Bad\r\n\r\n", std::string(65536, 'x')).ending, Ending::kMalformed) << "a body";
}

TEST(OneRequest, AnErrorWithinAStreamIsOne) {
    const Outcome outcome = outcome_of_text(kStreamHead + text_event("a") + "data: {\"error\":{\"message\":\"no memory\"}}\n\n");
    EXPECT_EQ(outcome.ending, Ending::kErrorInStream);
    EXPECT_EQ(outcome.message, "no memory");
}

}  // namespace
}  // namespace hearth::perf
