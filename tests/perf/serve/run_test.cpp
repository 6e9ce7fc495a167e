#include "perf/serve/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "perf/serve/report/summary.h"
#include "tests/perf/serve/loads.h"
#include "tests/perf/serve/scripted_server.h"

namespace hearth::perf {
namespace {

using ::hearth::testing::end_events;
using ::hearth::testing::Line;
using ::hearth::testing::Request;
using ::hearth::testing::ScriptedServer;
using ::hearth::testing::text_event;
using ::testing::HasSubstr;

TEST(Run, CountsStatusesAndRetryAfter) {
    ScriptedServer server([](const Request& request, Line& line) {
        const char* const kHeads[] = {"429 Busy\r\nRetry-After: 7",
                                      "503 No\r\nretry-after:  2 ",
                                      "503 No",
                                      "503 No\r\nRetry-After: soon",
                                      "429 Busy\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT",
                                      "400 Bad",
                                      "307 Elsewhere\r\nLocation: /x"};
        line.send(cat("HTTP/1.1 ", kHeads[request.number % 7],
                      "\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n{\"error\":{\"message\":\"told\"}}\n"));
    });
    const LoadOptions options = load(server.url(), 7);
    const Summary summary = summarize(run_load(options, kNever), options);
    EXPECT_EQ(server.requests().size(), 7u) << "no refusal and no redirect is followed by another request";
    EXPECT_EQ(summary.statuses, (std::map<int, int64_t>{{307, 1}, {400, 1}, {429, 2}, {503, 3}}));
    EXPECT_EQ(summary.endings, (std::map<Ending, int64_t>{{Ending::kRefused, 5}, {Ending::kHttpError, 2}}));
    EXPECT_EQ(summary.refusal_ms.size(), 5u);
    EXPECT_EQ(summary.retry_after_s, (std::vector<double>{7, 2, 0})) << "a date that is over is no wait";
    EXPECT_EQ(summary.without_retry_after, 2);
    EXPECT_EQ(summary.failures.at(0).message, "told");
    EXPECT_EQ(summary.failures.at(0).count, 3);
}

TEST(Run, KeepsAsManyOpenAsAskedFor) {
    std::atomic<int> open{0}, most{0};
    ScriptedServer server([&](const Request& request, Line& line) {
        most = std::max(most.load(), ++open);
        // The first three wait for each other, so that fewer at once would never end.
        while (request.number < 3 && most < 3) std::this_thread::yield();
        --open;
        answer_two_tokens(request, line);
    });
    const RunResult result = run_load(load(server.url(), 20, 3), kNever);
    EXPECT_EQ(result.outcomes.size(), 20u);
    EXPECT_EQ(result.stopped_by, "requests");
    EXPECT_EQ(most, 3);
}

TEST(Run, ARateDoesNotWaitForAnswers) {
    std::atomic<int> open{0};
    ScriptedServer server([&](const Request& request, Line& line) {
        ++open;
        while (open < 5) std::this_thread::yield();
        answer_two_tokens(request, line);
    });
    LoadOptions options = load(server.url(), 5, 0);
    options.rate = 1000;
    const RunResult result = run_load(options, kNever);
    ASSERT_EQ(result.outcomes.size(), 5u);
    for (const Outcome& outcome : result.outcomes) EXPECT_EQ(outcome.ending, Ending::kAnswered);
}

TEST(Run, AppendsTheAnswerAndSendsTheNextTurn) {
    ScriptedServer server(answer_two_tokens);
    LoadOptions options = load(server.url(), 6);
    options.turns = 3, options.warmup = 1;
    EXPECT_EQ(run_load(options, kNever).outcomes.size(), 6u) << "the warm-up is not counted";
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 7u);
    const auto messages = [&](int i) { return nlohmann::json::parse(requests[i].body).at("messages"); };
    EXPECT_EQ(messages(1).size(), 1u);
    ASSERT_EQ(messages(3).size(), 5u);
    EXPECT_EQ(messages(3)[0], messages(1)[0]);
    EXPECT_EQ(messages(3)[1], nlohmann::json({{"role", "assistant"}, {"content", "ab"}}));
    EXPECT_EQ(messages(4).size(), 1u) << "the next conversation";
    EXPECT_NE(messages(4)[0], messages(1)[0]);
}

TEST(Run, SendsKeyAndHeadersAndOneConnectionEach) {
    ScriptedServer server(answer_two_tokens);
    LoadOptions options = load(server.url() + "/base", 2);
    options.key = "secret", options.headers = {"X-Mine: 1"}, options.api = Api::kCompletions;
    EXPECT_EQ(run_load(options, kNever).outcomes.size(), 2u);
    EXPECT_THAT(server.requests().at(1).head, HasSubstr("POST /base/v1/completions HTTP/1.1\r\n"));
    EXPECT_THAT(server.requests().at(1).head, HasSubstr("Authorization: Bearer secret\r\n"));
    EXPECT_THAT(server.requests().at(1).head, HasSubstr("X-Mine: 1\r\n"));
}

/// libcurl sends a request again, unasked, where a connection that it kept was closed meanwhile; so it may keep none.
TEST(Run, EachRequestHasAConnectionOfItsOwn) {
    ScriptedServer server([](const Request&, Line& line) {
        const std::string body = text_event("a") + end_events(1, 1, 0);
        line.send(cat("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: ", body.size(), "\r\n\r\n", body));
        line.wait_for_client_to_leave();  // and no second request is read
    });
    LoadOptions options = load(server.url(), 3);
    options.timeout = 5;
    for (const Outcome& outcome : run_load(options, kNever).outcomes) EXPECT_EQ(outcome.ending, Ending::kAnswered) << outcome.message;
    EXPECT_EQ(server.requests().size(), 3u);
}

TEST(Run, GoesToTheHostThatWasNamedAndToNoProxy) {
    ScriptedServer server(answer_two_tokens), proxy(answer_two_tokens);
    ::setenv("http_proxy", proxy.url().c_str(), 1);
    ::setenv("all_proxy", proxy.url().c_str(), 1);
    EXPECT_EQ(run_load(load(server.url(), 1), kNever).outcomes.at(0).ending, Ending::kAnswered);
    ::unsetenv("http_proxy");
    ::unsetenv("all_proxy");
    EXPECT_EQ(server.requests().size(), 1u);
    EXPECT_TRUE(proxy.requests().empty());
}

TEST(Run, EndsWithWhatThereIsWhenToldTo) {
    std::atomic<bool> stop{false};
    ScriptedServer server([&](const Request& request, Line& line) {
        if (request.number < 2) return answer_two_tokens(request, line);
        stop = true;
        line.wait_for_client_to_leave();
    });
    const LoadOptions options = load(server.url(), 100);
    const Summary summary = summarize(run_load(options, stop), options);
    EXPECT_EQ(summary.stopped_by, "interrupt");
    EXPECT_EQ(summary.endings, (std::map<Ending, int64_t>{{Ending::kAnswered, 2}, {Ending::kInterrupted, 1}}));
}

TEST(Run, SendsNothingAfterItsSeconds) {
    ScriptedServer server(answer_two_tokens);
    LoadOptions options = load(server.url(), kMostRequests);
    options.seconds = 0.2;
    const RunResult result = run_load(options, kNever);
    EXPECT_EQ(result.stopped_by, "seconds");
    for (const Outcome& outcome : result.outcomes) EXPECT_LT(outcome.sent, 1000 * options.seconds + 1);
}

}  // namespace
}  // namespace hearth::perf
