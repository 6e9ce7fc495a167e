// The rules of who is in memory, step by step: the test is the loader, and tells the time.
#include "loaders/pool/residency.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

using Kind = Residency::Action::Kind;
using std::chrono::milliseconds;

class ResidencyTest : public ::testing::Test {
protected:
    using Ticket = std::shared_ptr<Residency::Ticket>;

    Ticket ask(const std::string& key, std::optional<milliseconds> keep_alive = {}) { return residency.ask(key, true, keep_alive, now); }

    /// Does what the loader is told until there is nothing to do: every model takes `bytes`.
    void work(int64_t bytes = 100) {
        for (auto action = residency.next(now); action.kind != Kind::kWait; action = residency.next(now)) {
            done.push_back(action);
            switch (action.kind) {
                case Kind::kPlan: residency.planned(action.key, bytes); break;
                case Kind::kUnload: residency.unloaded(action.key); break;
                case Kind::kLoad: residency.loaded(action.key, now); break;
                default: break;
            }
            ASSERT_LE(residency.used_bytes(), residency.budget_bytes());
        }
    }

    bool in_memory(const std::string& key) const { return residency.slots().contains(key); }

    Residency::Time now{};
    Residency residency{{.budget_bytes = 250, .drain_wait = milliseconds(1000)}};
    std::vector<Residency::Action> done;
};

TEST_F(ResidencyTest, LoadsWhatIsAskedForAndKeepsSeveral) {
    const Ticket a = ask("a"), b = ask("b");
    EXPECT_FALSE(a->done());
    work();
    EXPECT_TRUE(a->granted && b->granted);
    EXPECT_TRUE(ask("a")->granted) << "what is in memory is lent at once";
    EXPECT_EQ(residency.slots().at("a").leases, 2);
    EXPECT_EQ(residency.used_bytes(), 200);
}

TEST_F(ResidencyTest, FreesTheLeastRecentlyUsedBeforeItLoads) {
    for (const char* key : {"a", "b"}) ask(key);
    work();
    residency.release("a", now);
    residency.release("b", now);
    residency.leave(ask("a"), now);  // used later than b
    done.clear();
    const Ticket c = ask("c");
    work();
    ASSERT_EQ(done.size(), 3u);
    EXPECT_EQ(done[0].kind, Kind::kPlan);
    EXPECT_EQ(done[1].kind, Kind::kUnload);
    EXPECT_EQ(done[1].key, "b");
    EXPECT_EQ(done[2].kind, Kind::kLoad);
    EXPECT_TRUE(c->granted && in_memory("a") && !in_memory("b"));
}

TEST_F(ResidencyTest, NeverFreesABusyOneButLetsItsAnswersEnd) {
    ask("a"), ask("b");
    work();
    residency.leave(ask("b"), now);
    const Ticket c = ask("c");
    work();
    EXPECT_FALSE(c->done());
    EXPECT_TRUE(residency.slots().at("a").draining) << "the least recently used";
    EXPECT_FALSE(residency.slots().at("b").draining) << "one is enough";
    const Ticket later = ask("a"), other = ask("b");
    EXPECT_FALSE(later->done()) << "no new lease on what drains";
    EXPECT_TRUE(other->granted);
    residency.release("a", now);
    work();
    EXPECT_TRUE(c->granted);
    EXPECT_FALSE(in_memory("a"));
    EXPECT_FALSE(later->done()) << "its turn is behind c's";
    residency.release("c", now);
    work();
    EXPECT_TRUE(later->granted);
}

TEST_F(ResidencyTest, GivesUpWaitingForRoomAndLendsAgain) {
    ask("a"), ask("b");
    work();
    const Ticket c = ask("c"), d = ask("c");
    work();
    const Ticket later = ask("a");
    now += milliseconds(999);
    work();
    EXPECT_FALSE(c->done());
    now += milliseconds(1);
    done.clear();
    work();
    ASSERT_EQ(done.size(), 1u);
    EXPECT_EQ(done[0].kind, Kind::kRefused);
    EXPECT_EQ(done[0].key, "c");
    ASSERT_TRUE(c->error && d->error);
    EXPECT_EQ(c->error->kind(), ErrorKind::kNoResources);
    EXPECT_TRUE(later->granted);
    EXPECT_FALSE(residency.slots().at("a").draining);
}

TEST_F(ResidencyTest, EndsDrainingWhenNobodyWaitsForTheRoomAnyMore) {
    ask("a"), ask("b");
    work();
    const Ticket c = ask("c");
    work();
    const Ticket later = ask("a");
    residency.leave(c, now);
    work();
    EXPECT_TRUE(later->granted);
    EXPECT_EQ(residency.tickets(), 0);
    EXPECT_FALSE(in_memory("c"));
}

TEST_F(ResidencyTest, TellsAllWhoWaitForALoadThatFailsAndTriesAgainOnTheNextRequest) {
    const Ticket a = ask("a"), b = ask("b"), again = ask("a");
    EXPECT_EQ(residency.next(now).key, "a");
    residency.planned("a", 100);
    EXPECT_EQ(residency.next(now).kind, Kind::kLoad);
    residency.failed("a", Error(ErrorKind::kIo, "broken"), now);
    ASSERT_TRUE(a->error && again->error);
    EXPECT_STREQ(a->error->what(), "broken");
    EXPECT_EQ(residency.used_bytes(), 0);
    const Ticket third = ask("a");
    work();
    EXPECT_TRUE(b->granted && third->granted);
}

TEST_F(ResidencyTest, FinishesALoadThatNobodyWaitsForUnlessAnotherIsWanted) {
    const Ticket a = ask("a");
    residency.next(now);
    residency.planned("a", 100);
    residency.next(now);
    EXPECT_TRUE(residency.is_wanted("a"));
    residency.leave(a, now);
    EXPECT_TRUE(residency.is_wanted("a"));
    const Ticket b = ask("b");
    EXPECT_FALSE(residency.is_wanted("a"));
    residency.given_up("a", now);
    EXPECT_EQ(residency.used_bytes(), 0);
    work();
    EXPECT_TRUE(b->granted);
}

TEST_F(ResidencyTest, StopsWithAWordToEverybody) {
    const Ticket a = ask("a"), b = ask("b");
    residency.next(now);
    residency.stop(Error(ErrorKind::kNoResources, "over"));
    EXPECT_TRUE(a->error && b->error && ask("c")->error);
    EXPECT_EQ(residency.next(now).kind, Kind::kWait);
}

TEST_F(ResidencyTest, LetsGoOfWhatNobodyUsesAfterItsTime) {
    ask("a", milliseconds(50)), ask("b");
    work();
    residency.release("a", now);
    residency.release("b", now);
    now += milliseconds(49);
    EXPECT_EQ(residency.next(now).until, now + milliseconds(1));
    work();
    EXPECT_TRUE(in_memory("a"));
    now += milliseconds(1);
    work();
    EXPECT_FALSE(in_memory("a"));
    now += std::chrono::hours(1000);
    work();
    EXPECT_TRUE(in_memory("b")) << "nobody said how long it may stay";
}

// A timer that decides outside the lock unloads a model that was asked for a moment ago.
TEST_F(ResidencyTest, NeverLetsGoOfAModelThatWasJustAskedFor) {
    for (int i = 0; i < 1000; ++i) {
        const Ticket first = ask("a", milliseconds(50));
        work();
        ASSERT_TRUE(first->granted);
        residency.release("a", now);
        now += milliseconds(45 + i % 11);
        const bool timer_first = i / 11 % 2 == 0;
        if (timer_first) work();
        const Ticket second = ask("a", milliseconds(50));
        ASSERT_TRUE(timer_first || second->granted) << "asked before the timer looked";
        work();
        ASSERT_TRUE(second->granted);
        now += milliseconds(60);
        work();
        ASSERT_TRUE(in_memory("a")) << "it is in use";
        residency.release("a", now);
    }
}

TEST_F(ResidencyTest, KeepsWhatSomebodyWaitsForAlthoughItsTimeIsOver) {
    ask("a", milliseconds(50)), ask("b");
    work();
    const Ticket c = ask("c");
    work(200);  // c needs the room of both
    const Ticket again = ask("a", milliseconds(50));
    residency.release("a", now);
    now += milliseconds(60);
    work();
    EXPECT_TRUE(in_memory("a")) << "it drains, idle for longer than it may be, but is asked for";
    residency.leave(c, now);
    done.clear();
    work();
    EXPECT_TRUE(again->granted);
    EXPECT_TRUE(done.empty()) << "without another load";
}

// Two names that are asked for in turn push each other out for ever when whoever is served last is always the victim.
TEST_F(ResidencyTest, ServesTwoNamesThatDoNotFitTogetherInTheirTurns) {
    std::vector<Ticket> waiting;
    int served = 0;
    for (int round = 0; round < 1000; ++round) {
        waiting.push_back(ask(round % 2 ? "a" : "b"));
        work(200);
        std::erase_if(waiting, [&](const Ticket& ticket) {
            if (!ticket->granted) return false;
            residency.release(ticket->key, now);
            return ++served > 0;
        });
        ASSERT_LE(waiting.size(), 2u) << "each is served before many others come";
        now += milliseconds(10);
    }
    work(200);
    EXPECT_GE(served, 998);
}

}  // namespace
}  // namespace hearth
