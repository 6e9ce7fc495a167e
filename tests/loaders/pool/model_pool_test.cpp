// The pool with its thread, over models that scripts stand for.
#include "loaders/pool/model_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "tests/support/scripted_models.h"
#include "tests/support/wait_until.h"

namespace hearth {
namespace {

using testing::answer_of;
using ::testing::HasSubstr;
using testing::ScriptedModels;
using testing::ScriptGate;
using testing::wait_until;

ModelStatus status_of(ModelPool& pool, const std::string& name) {
    for (ModelStatus& status : pool.list()) {
        if (status.name == name) return std::move(status);
    }
    ADD_FAILURE() << "there is no " << name;
    return {};
}

void wait_for(ModelPool& pool, const std::string& name, ModelState state) {
    wait_until([&] { return status_of(pool, name).state == state; });
}

/// Runs `work` in so many threads.
void in_threads(int count, const std::function<void(int)>& work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back([&, i] { work(i); });
    for (auto& thread : threads) thread.join();
}

Preset preset(const std::string& alias, const std::string& model) {
    Preset out;
    out.alias = alias;
    out.model = model;
    return out;
}

class ModelPoolTest : public ::testing::Test {
protected:
    ModelPoolTest() {
        models.add("a", 100);
        models.add("b", 150);
        models.add("c", 120);
    }
    ScriptedModels models;
};

TEST_F(ModelPoolTest, LendsSeveralModelsEachByItsName) {
    ModelPool pool(models.options("a", 1000));
    in_threads(9, [&](int i) {
        const std::string name(1, static_cast<char>('a' + i % 3));
        const auto lease = pool.acquire(name);
        EXPECT_EQ(lease->name, name);
        EXPECT_EQ(answer_of(*lease), "I am " + name);
    });
    EXPECT_EQ(models.loads("a") + models.loads("b") + models.loads("c"), 3);
    EXPECT_EQ(pool.used_bytes(), 370);
    EXPECT_EQ(status_of(pool, "b").state, ModelState::kReady);
    EXPECT_EQ(pool.acquire("")->name, "a") << "the chosen one";
}

TEST_F(ModelPoolTest, SaysWhatThereIsWhereANameIsUnknown) {
    ModelPool pool(models.options("a", 1000));
    try {
        pool.acquire("x");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::kNotFound);
        EXPECT_THAT(e.what(), HasSubstr("ember, a, b, c"));
    }
    EXPECT_THROW(pool.choose("x"), Error);
}

TEST_F(ModelPoolTest, TellsWhatAModelTakesThatNeverFits) {
    models.add("huge", 2000);
    ModelPool pool(models.options("a", 1000));
    const auto held = pool.acquire("a");
    try {
        pool.acquire("huge");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::kNoResources);
        EXPECT_THAT(e.what(), HasSubstr("2.00 kB"));
    }
    EXPECT_EQ(status_of(pool, "a").state, ModelState::kReady) << "nothing was freed for it";
    EXPECT_EQ(status_of(pool, "huge").state, ModelState::kFailed);
}

TEST_F(ModelPoolTest, ShowsTheProgressToWhoWaits) {
    const auto gate = std::make_shared<ScriptGate>();
    models.add("slow", {.bytes = 100, .loads = gate});
    ModelPool pool(models.options("a", 1000));
    bool shown = false;
    const auto lease = pool.acquire("slow", {.gone = {}, .progress = [&](const ProgressUpdate& update) {
                                                 if (update.what != "loading slow") return;
                                                 shown = true;
                                                 EXPECT_EQ(status_of(pool, "slow").progress.what, "loading slow");
                                                 gate->open();
                                             }});
    EXPECT_TRUE(shown);
    EXPECT_EQ(answer_of(*lease), "I am slow");
}

TEST_F(ModelPoolTest, TriesAFailedLoadAgainOnTheNextRequest) {
    const auto gate = std::make_shared<ScriptGate>();
    models.add("weak", {.bytes = 100, .loads = gate, .failures = 1});
    ModelPool pool(models.options("a", 1000));
    std::atomic<int> told{0};
    std::thread opener([&] {
        wait_until([&] { return models.loading() == 1; });
        gate->open();
    });
    in_threads(3, [&](int) {
        try {
            EXPECT_EQ(answer_of(*pool.acquire("weak")), "I am weak");  // came after the failure
        } catch (const Error& e) {
            ++told;
            EXPECT_THAT(e.what(), HasSubstr("the script says"));
        }
    });
    opener.join();
    EXPECT_GE(told, 1);
    EXPECT_EQ(answer_of(*pool.acquire("weak")), "I am weak");
    EXPECT_EQ(models.loads("weak"), 2);
}

TEST_F(ModelPoolTest, LeavesNothingOfAWaitThatIsCancelled) {
    const auto gate = std::make_shared<ScriptGate>();
    models.add("slow", {.bytes = 100, .loads = gate});
    ModelPool pool(models.options("a", 250));
    EXPECT_FALSE(pool.acquire("slow", {.gone = [] { return true; }, .progress = {}}));
    const auto lease = pool.acquire("c");  // the load of slow is given up for it
    EXPECT_EQ(answer_of(*lease), "I am c");
    EXPECT_EQ(status_of(pool, "slow").state, ModelState::kIdle);
    EXPECT_THROW(pool.acquire("slow", {.gone = []() -> bool { throw Error(ErrorKind::kIo, "the client's line broke"); }, .progress = {}}),
                 Error);
    EXPECT_LE(pool.used_bytes(), 250);
}

TEST_F(ModelPoolTest, TellsEverybodyWhenItStops) {
    const auto gate = std::make_shared<ScriptGate>();
    models.add("slow", {.bytes = 100, .loads = gate});
    ModelPool pool(models.options("slow", 1000));
    std::atomic<int> told{0};
    std::thread stopper([&] {
        wait_until([&] { return models.loading() == 1; });
        pool.stop();
    });
    in_threads(6, [&](int i) {
        try {
            pool.acquire(i % 2 ? "slow" : "b");
        } catch (const Error& e) {
            ++told;
            EXPECT_EQ(e.kind(), ErrorKind::kNoResources);
        }
    });
    stopper.join();
    EXPECT_EQ(told, 6);
    EXPECT_THROW(pool.acquire("b"), Error);
}

TEST_F(ModelPoolTest, ChoosesForRequestsWithoutAName) {
    models.add("weak", {.bytes = 100, .failures = 1});
    ModelPool pool(models.options("a", 1000));
    pool.choose("b");
    EXPECT_EQ(pool.acquire("")->name, "b");
    EXPECT_TRUE(status_of(pool, "b").chosen);
    pool.choose("weak");
    wait_for(pool, "weak", ModelState::kFailed);
    EXPECT_EQ(pool.acquire("")->name, "b") << "a choice that failed leaves the one before";
    EXPECT_EQ(status_of(pool, "weak").error, "weak: the script says that this load fails");
}

TEST_F(ModelPoolTest, LoadsAtTheStartWhatAPresetSays) {
    auto options = models.options("a", 1000);
    options.catalogue.presets.list = {preset("early", "b"), preset("late", "c")};
    options.catalogue.presets.list[0].load_at_start = true;
    ModelPool pool(options);
    wait_for(pool, "early", ModelState::kReady);
    wait_for(pool, "a", ModelState::kReady);
    EXPECT_EQ(models.loads("c"), 0);
}

// Somebody asks for B while A streams, and A's answer ends in the middle.
TEST_F(ModelPoolTest, Row3_ARequestForAnotherModelEndsNoAnswer) {
    models.add("talker", {.bytes = 200, .script = testing::says_forever(*testing::ember_tokenizer(), "and so on ", 0)});
    auto options = models.options("talker", 250);
    ModelPool pool(options);
    auto lease = pool.acquire("talker");
    Request request;
    request.prompt = {1};
    request.max_tokens = 500;
    auto stream = submit_or_throw(*lease->model->engine, std::move(request));
    std::thread other([&] { EXPECT_EQ(answer_of(*pool.acquire("b")), "I am b"); });
    wait_until([&] { return status_of(pool, "b").progress.what == "waiting for answers of another model to end"; });
    int tokens = 0;
    auto event = stream->next();
    for (; !event->finish; event = stream->next()) ++tokens;
    EXPECT_EQ(tokens, 500);
    EXPECT_EQ(event->finish, FinishReason::kLength);
    EXPECT_EQ(models.loads("b"), 0) << "it waits";
    stream.reset();
    lease.reset();
    other.join();
    EXPECT_LE(models.most_bytes(), 250);
}

TEST_F(ModelPoolTest, Row3_WhoWaitsTooLongForRoomIsToldAndTheAnswerGoesOn) {
    auto options = models.options("b", 200);
    options.drain_wait = std::chrono::milliseconds(0);
    ModelPool pool(options);
    const auto lease = pool.acquire("b");
    try {
        pool.acquire("a");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::kNoResources);
        EXPECT_THAT(e.what(), HasSubstr("still answering"));
    }
    EXPECT_EQ(answer_of(*lease), "I am b");
    EXPECT_EQ(answer_of(*pool.acquire("b")), "I am b") << "it drains no more";
    EXPECT_EQ(status_of(pool, "a").state, ModelState::kFailed);
}

// Two models that do not fit together evict each other for ever.
TEST_F(ModelPoolTest, Row4_TwoNamesInTurnAreAllAnswered) {
    ModelPool pool(models.options("a", 200));
    std::atomic<int> answered{0};
    in_threads(8, [&](int thread) {
        for (int i = 0; i < 25; ++i) {
            const std::string name = (i + thread) % 2 ? "a" : "b";
            answered += answer_of(*pool.acquire(name)) == "I am " + name;
        }
    });
    EXPECT_EQ(answered, 200);
    EXPECT_LE(models.most_bytes(), 200);
}

// A model that is still loading is chosen as the victim.
TEST_F(ModelPoolTest, Row5_AModelThatLoadsIsNoVictim) {
    const auto gate = std::make_shared<ScriptGate>();
    models.add("slow", {.bytes = 200, .loads = gate});
    ModelPool pool(models.options("slow", 250));
    std::thread first([&] { EXPECT_EQ(answer_of(*pool.acquire("slow")), "I am slow"); });
    wait_until([&] { return models.loading() == 1; });
    std::thread second([&] { EXPECT_EQ(answer_of(*pool.acquire("b")), "I am b"); });
    wait_until([&] { return status_of(pool, "b").state == ModelState::kLoading; });
    EXPECT_EQ(models.bytes(), 200) << "it has its place";
    gate->open();
    first.join();
    second.join();
    EXPECT_EQ(models.loads("slow"), 1);
    EXPECT_LE(models.most_bytes(), 250);
}

// Aliases of a folder that is not in memory: each waits for the other.
TEST_F(ModelPoolTest, Row6_AliasesOfOneFolderAreOneModel) {
    auto options = models.options("b", 200);
    options.catalogue.presets.list = {preset("one", "a"), preset("two", (models.path() / "a").string()), preset("three", "a")};
    std::filesystem::create_directory_symlink(models.path() / "a", models.path() / "link");
    ModelPool pool(options);
    {
        const auto one = pool.acquire("one"), two = pool.acquire("two"), three = pool.acquire("three"), link = pool.acquire("link");
        for (const auto* other : {&two, &three, &link}) EXPECT_EQ((*other)->model.get(), one->model.get()) << (*other)->name;
        EXPECT_EQ(pool.used_bytes(), 100);
    }
    for (int cycle = 0; cycle < 100; ++cycle) {
        in_threads(3, [&](int i) { EXPECT_EQ(answer_of(*pool.acquire(i == 0 ? "one" : i == 1 ? "two" : "three")), "I am a"); });
        EXPECT_EQ(answer_of(*pool.acquire("b")), "I am b");
    }
    EXPECT_LE(models.most_bytes(), 200);
}

TEST_F(ModelPoolTest, OtherSettingsOfAFolderAreAnotherModel) {
    auto options = models.options("a", 1000);
    options.catalogue.presets.list = {preset("short", "a")};
    options.catalogue.presets.list[0].context = 64;
    ModelPool pool(options);
    const auto plain = pool.acquire("a"), other = pool.acquire("short");
    EXPECT_NE(plain->model.get(), other->model.get());
    EXPECT_EQ(pool.used_bytes(), 200);
}

// A timer unloads a model that was asked for at the same moment.
TEST_F(ModelPoolTest, Row7_NoTimerTakesAModelFromWhoJustAsked) {
    auto options = models.options("b", 1000);
    options.catalogue.presets.list = {preset("brief", "a")};
    options.catalogue.presets.list[0].keep_alive = std::chrono::seconds(0);
    ModelPool pool(options);
    in_threads(4, [&](int) {
        for (int i = 0; i < 250; ++i) EXPECT_EQ(answer_of(*pool.acquire("brief")), "I am a");
    });
    wait_for(pool, "brief", ModelState::kIdle);
    EXPECT_GT(models.loads("a"), 0);
}

// Two that fit one at a time: the second is loaded before the first is freed.
TEST_F(ModelPoolTest, Row8_WhatFitsAloneIsSwappedWithinTheBudget) {
    ModelPool pool(models.options("a", 157));  // the larger one and five in a hundred
    for (int i = 0; i < 20; ++i) {
        const std::string name = i % 2 ? "a" : "b";
        EXPECT_EQ(answer_of(*pool.acquire(name)), "I am " + name);
    }
    EXPECT_LE(models.most_bytes(), 157);
    EXPECT_GE(models.loads("b"), 10);
}

TEST_F(ModelPoolTest, GivesAllMemoryBackAtItsEnd) {
    {
        ModelPool pool(models.options("a", 1000));
        pool.acquire("b");
        pool.acquire("c");
        EXPECT_GT(models.bytes(), 0);
    }
    EXPECT_EQ(models.bytes(), 0);
}

}  // namespace
}  // namespace hearth
