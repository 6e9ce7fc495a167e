// Random requests, ends, cancels, failures and times against the rules, looked at after every step.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/text.h"
#include "loaders/pool/residency.h"

namespace hearth {
namespace {

using Action = Residency::Action;
using Kind = Residency::Action::Kind;
using std::chrono::milliseconds;

/// Four models of different sizes, a loader whose work takes several steps, and people who come and go.
class Schedule {
public:
    explicit Schedule(uint32_t seed) : random_(seed), budget_(250 + below(4) * 100), residency_({budget_, milliseconds(500)}) {}

    void run(int steps) {
        for (int i = 0; i < steps; ++i) {
            step();
            check();
            if (::testing::Test::HasFatalFailure()) return;
        }
        // Everybody ends what they do: nobody may wait for ever.
        for (int i = 0; i < 10'000 && !(waiting_.empty() && holding_.empty()); ++i) {
            if (!holding_.empty()) end_one();
            work(false);
            collect();
            check();
        }
        ASSERT_TRUE(waiting_.empty()) << waiting_.size() << " wait for ever";
        EXPECT_EQ(asked_, served_ + refused_ + left_);
        now_ += milliseconds(1'000'000);
        for (int i = 0; i < 100; ++i) work(false);
        EXPECT_EQ(residency_.used_bytes(), 0) << "all that has a time to live is gone";
    }

    int served() const { return served_; }

private:
    using Ticket = std::shared_ptr<Residency::Ticket>;
    static constexpr int64_t kSizes[] = {100, 150, 240, 60};

    int64_t below(int64_t n) { return std::uniform_int_distribution<int64_t>(0, n - 1)(random_); }
    static int64_t size_of(const std::string& key) { return kSizes[key[0] - 'a']; }

    void step() {
        switch (below(8)) {
            case 0:
            case 1: ask(); break;
            case 2: cancel_one(); break;
            case 3:
            case 4: end_one(); break;
            case 5: now_ += milliseconds(below(200)); break;
            default: work(true);
        }
        collect();
    }

    void ask() {
        const std::string key(1, static_cast<char>('a' + below(4)));
        waiting_.push_back(residency_.ask(key, true, milliseconds(below(3) * 100), now_));
        ++asked_;
    }

    void cancel_one() {
        if (waiting_.empty()) return;
        const auto at = waiting_.begin() + below(std::ssize(waiting_));
        residency_.leave(*at, now_);
        waiting_.erase(at);
        ++left_;
    }

    void end_one() {
        if (holding_.empty()) return;
        const auto at = holding_.begin() + below(std::ssize(holding_));
        residency_.release(*at, now_);
        holding_.erase(at);
    }

    /// Begins what the loader is told, or ends what it began; `may_fail`: sometimes badly.
    void work(bool may_fail) {
        if (!doing_) {
            const Action action = residency_.next(now_);
            if (action.kind == Kind::kWait && action.until && !may_fail) now_ = std::max(now_, *action.until);
            if (action.kind == Kind::kUnload) {
                ASSERT_EQ(std::ranges::count(holding_, action.key), 0) << "a busy one is unloaded";
            }
            if (action.kind != Kind::kWait && action.kind != Kind::kRefused) doing_ = action;
            return;
        }
        const Action action = *doing_;
        doing_.reset();
        const bool fails = may_fail && below(8) == 0;
        const Error error(ErrorKind::kIo, "broken");
        if (action.kind == Kind::kPlan) {
            if (fails) return residency_.failed(action.key, error, now_);
            return residency_.planned(action.key, size_of(action.key));
        }
        if (action.kind == Kind::kUnload) return residency_.unloaded(action.key);
        if (!residency_.is_wanted(action.key)) return residency_.given_up(action.key, now_);
        if (fails) return residency_.failed(action.key, error, now_);
        residency_.loaded(action.key, now_);
    }

    void collect() {
        std::erase_if(waiting_, [&](const Ticket& ticket) {
            if (ticket->error) ++refused_;
            if (ticket->granted) {
                ++served_;
                holding_.push_back(ticket->key);
            }
            return ticket->done();
        });
    }

    void check() const {
        ASSERT_LE(residency_.used_bytes(), budget_);
        for (const std::string& key : holding_) {
            const auto slot = residency_.slots().find(key);
            ASSERT_NE(slot, residency_.slots().end()) << key << " is lent and not there";
            ASSERT_EQ(slot->second.state, Residency::State::kResident);
        }
        bool drains = false;
        for (const auto& [key, slot] : residency_.slots()) {
            ASSERT_EQ(slot.bytes, size_of(key));
            ASSERT_EQ(slot.leases, std::ranges::count(holding_, key)) << key;
            drains |= slot.draining;
        }
        ASSERT_FALSE(drains && residency_.next_key().empty()) << "draining for nobody";
        ASSERT_EQ(residency_.tickets(), std::ssize(waiting_));
    }

    std::mt19937 random_;
    const int64_t budget_;
    Residency residency_;
    Residency::Time now_{};
    std::optional<Action> doing_;
    std::vector<Ticket> waiting_;
    std::vector<std::string> holding_;  // a key for each lease
    int asked_ = 0, served_ = 0, refused_ = 0, left_ = 0;
};

TEST(Residency, KeepsItsRulesUnderRandomSchedules) {
    int served = 0;
    for (uint32_t seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE(cat("seed ", seed));
        Schedule schedule(seed);
        schedule.run(400);
        if (HasFatalFailure() || HasNonfatalFailure()) return;
        served += schedule.served();
    }
    EXPECT_GT(served, 5000) << "or the schedules are about nothing";
}

}  // namespace
}  // namespace hearth
