// What /ready and /metrics say, of models that do what a script says.
#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "chat/http/readiness.h"
#include "tests/chat/http/running_server.h"
#include "tests/support/scripted_models.h"
#include "tests/support/wait_until.h"

namespace hearth {
namespace {

using testing::ember_tokenizer;
using ::testing::HasSubstr;
using testing::Script;

/// A pool with one scripted model, and what is asked of it.
struct Watched {
    testing::ScriptedModels models;
    std::unique_ptr<ModelPool> pool;

    explicit Watched(testing::ScriptedModels::Model model) {
        models.add("bot", std::move(model));
        pool = std::make_unique<ModelPool>(models.options("bot", 1000));
    }
    void wait_until_loaded() {
        testing::wait_until([&] { return pool->load_counts().loaded > 0; });
    }
};

TEST(Readiness, IsThereOnceAModelGivesAToken) {
    const auto gate = std::make_shared<testing::ScriptGate>();
    Watched watched({.script = testing::says(*ember_tokenizer(), "yes"), .loads = gate});
    Readiness readiness(*watched.pool);
    EXPECT_EQ(readiness.problem(), "no model is in memory");
    gate->open();
    watched.wait_until_loaded();
    EXPECT_EQ(readiness.problem(), "");
}

TEST(Readiness, AModelThatGivesNoTokenIsNotReady) {
    const auto never = std::make_shared<testing::ScriptGate>();
    Watched watched({.script = testing::says_behind(*ember_tokenizer(), "too late", never)});
    watched.wait_until_loaded();
    Readiness readiness(*watched.pool, std::chrono::milliseconds(30));
    EXPECT_THAT(readiness.problem(), HasSubstr("bot: no token came in time"));
}

TEST(Readiness, AModelWhoseNumbersAreNoneIsNotReady) {
    Watched watched({.script = testing::fails_after(*ember_tokenizer(), "", FinishReason::kNumericError, "the logits are not finite")});
    watched.wait_until_loaded();
    Readiness readiness(*watched.pool);
    EXPECT_THAT(readiness.problem(), HasSubstr("numeric_error: the logits are not finite"));
}

TEST(Readiness, AsksForOneTokenAtMostAsOftenAsItsPatienceSays) {
    int asked = 0;
    const Script says = testing::says(*ember_tokenizer(), "yes");
    Watched watched({.script = [&](const Request& request) {
        ++asked;
        return says(request);
    }});
    watched.wait_until_loaded();
    Readiness readiness(*watched.pool, std::chrono::hours(1));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(readiness.problem(), "");
    EXPECT_EQ(asked, 1);
}

TEST(Monitoring, TheServerSaysThatItIsReadyAndHowMuchItDid) {
    testing::ScriptedModels models;
    models.add("bot", {.script = testing::says(*ember_tokenizer(), "Good morning.")});
    ServerOptions options;
    options.port = 0;
    options.model.model = "bot";
    options.model.memory_bytes = 1000;
    options.plan = models.planner();
    Server server(std::move(options));
    server.start();
    testing::wait_until([&] { return testing::get(server.port(), "/ready").status == 200; });
    EXPECT_EQ(testing::get(server.port(), "/health").status, 200);
    const testing::Reply metrics = testing::get(server.port(), "/metrics");
    EXPECT_EQ(metrics.status, 200);
    EXPECT_THAT(metrics.body, HasSubstr("# TYPE hearth_time_to_first_token_seconds histogram\n"));
    EXPECT_THAT(metrics.body, HasSubstr("\nhearth_time_to_first_token_seconds_bucket{le=\"+Inf\"} "));
    EXPECT_THAT(metrics.body, HasSubstr("\nhearth_model_loads_total 1\n"));
    EXPECT_THAT(metrics.body, ::testing::EndsWith("\n"));
    server.stop();
}

}  // namespace
}  // namespace hearth
