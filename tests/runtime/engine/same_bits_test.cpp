// An answer is the same to the last bit alone and in any company, cut and ordered in any way, found or computed, drafted or not.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <thread>

#include "kernels/make_backend.h"
#include "runtime/engine/model_engine.h"
#include "tests/runtime/engine/mixed_requests.h"
#include "tests/runtime/engine/transcript.h"
#include "tests/runtime/tiny_model.h"

namespace hearth::testing {
namespace {

constexpr DType kCaches[] = {DType::kBf16, DType::kF32, DType::kI8};

/// What must have happened, or nothing was shown.
struct Happened {
    int64_t preemptions = 0, cached = 0, kept = 0, refused_drafts = 0, cancelled = 0;

    void add(const EngineStats& stats) {
        preemptions += stats.preemptions;
        cached += stats.cached_tokens;
        kept += stats.kept_tokens;
        refused_drafts += stats.drafted_tokens - stats.kept_tokens;
        cancelled += stats.cancelled;
    }
};

struct Schedule {
    uint32_t seed = 0;
    bool tight = false;        // drafts, many sequences and just the blocks of the longest, so that somebody is preempted
    size_t drafter = 0;        // 0 for none, 1 for the same model, 2 for a stranger
    bool two_threads = false;  // slow where others work beside: each stage waits for both
};

/// One model on one device with one and with two threads, and what each request gets of it alone.
class Bench {
public:
    Bench(const std::string& device, TinyOptions kind, DType cache, int requests) : device_(device), kind_(kind), cache_(cache) {
        for (const int threads : {1, 2}) backends_.push_back(make_backend({.device = device, .threads = threads}));
        for (const auto& backend : backends_) models_.push_back(tiny_model(kind, backend));
        kind.seed = 99;
        for (const auto& backend : backends_) strangers_.push_back(tiny_model(kind, backend));
        for (int n = 0; n < requests; ++n) {
            ModelEngine engine(models_[0], {.context = kMixedContext, .max_sequences = 1, .cache_dtype = cache, .max_drafts = 0});
            alone_.push_back(run_request(engine, mixed_request(n, kind.vocab)));
        }
    }

    void run_schedule(const Schedule& schedule, Happened& happened);

private:
    std::unique_ptr<ModelEngine> random_engine(std::mt19937& random, const Schedule& schedule) const;

    std::string device_;
    size_t long_prompt() const;

    TinyOptions kind_;
    DType cache_;
    std::vector<std::shared_ptr<const Backend>> backends_;
    std::vector<std::shared_ptr<const Model>> models_, strangers_;
    std::vector<Transcript> alone_;
};

std::unique_ptr<ModelEngine> Bench::random_engine(std::mt19937& random, const Schedule& schedule) const {
    constexpr int64_t kStepTokens[] = {1, 2, 5, 16, 31, 32, 33, 64, 100, 512};
    constexpr int64_t kDrafts[] = {0, 1, 4, 16};
    const auto [seed, tight, drafter, two_threads] = schedule;
    const size_t threads = two_threads ? 1 : 0;
    const EngineOptions options{.context = kMixedContext,
                                .max_sequences = tight ? 8 : 1 + static_cast<int64_t>(random() % 8),
                                .max_waiting = 10'000,
                                .max_waiting_tokens = 10'000'000,
                                .max_wait_ms = 3'600'000,
                                .max_step_tokens = kStepTokens[random() % std::size(kStepTokens)],
                                .num_blocks = kMixedContext / 32 + (tight ? 0 : static_cast<int64_t>(random() % 12)),
                                .cache_dtype = cache_,
                                .max_drafts = tight ? 16 : kDrafts[random() % std::size(kDrafts)],
                                .adapt_drafts = !tight && random() % 2 == 0};  // the machine's pace must not decide whether there are any
    return std::make_unique<ModelEngine>(models_[threads], options,
                                         drafter == 0   ? nullptr
                                         : drafter == 1 ? models_[threads]
                                                        : strangers_[threads]);
}

/// A request that may find its prompt in the cache.
size_t Bench::long_prompt() const {
    for (size_t n = 0; n < alone_.size(); ++n) {
        const Request request = mixed_request(static_cast<int>(n), kind_.vocab);
        if (request.prompt.size() > 64 && request.goal == Request::Goal::kAnswer && !request.score_prompt) return n;
    }
    ADD_FAILURE() << "no request has a long prompt";
    return 0;
}

/// Every request once, in any order, beside others that come from the same list and are cancelled somewhere.
void Bench::run_schedule(const Schedule& schedule, Happened& happened) {
    const auto [seed, tight, drafter, two_threads] = schedule;
    std::mt19937 random(seed);
    const auto engine = random_engine(random, schedule);
    std::vector<size_t> order(alone_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::shuffle(order, random);
    std::vector<std::pair<size_t, std::shared_ptr<TokenStream>>> kept, companions;
    const auto submit = [&](auto& to, size_t number) {
        Request request = mixed_request(static_cast<int>(number), kind_.vocab);
        request.speculate = random() % 8 != 0;
        to.emplace_back(number, submit_or_throw(*engine, std::move(request)));
    };
    const auto some_steps_pass = [&] { std::this_thread::sleep_for(std::chrono::microseconds(random() % 400)); };
    for (const size_t number : order) {
        submit(kept, number);
        if (random() % 3 == 0) submit(companions, random() % alone_.size());
        if (!tight && random() % 2 == 0) some_steps_pass();
        if (!companions.empty() && random() % 2 == 0) companions[random() % companions.size()].second->cancel();
    }
    for (const auto& [number, stream] : companions) {
        some_steps_pass();
        stream->cancel();
    }
    const auto compare = [&](const auto& of, bool may_be_cut) {
        for (const auto& [number, stream] : of) {
            const Transcript got = read_transcript(*stream);
            const bool cut = may_be_cut && got.end.finish == FinishReason::kCancelled;
            EXPECT_EQ(difference(alone_[number], got, cut), "")
                << "request " << number << ", schedule " << seed << ", cache " << cache_type_name(cache_) << ", device " << device_;
        }
    };
    compare(kept, false);
    compare(companions, true);
    const size_t again = long_prompt();
    for (int i = 0; i < 2; ++i) {  // the second time it finds its own
        const Transcript got = run_request(*engine, mixed_request(static_cast<int>(again), kind_.vocab));
        EXPECT_EQ(difference(alone_[again], got), "") << "request " << again << " again, schedule " << seed;
    }
    EXPECT_EQ(engine->stats().blocks_in_use, 0);
    happened.add(engine->stats());
}

/// `schedules` of each cache type.
void try_schedules(const std::string& device, const TinyOptions& kind, int requests, uint32_t schedules) {
    Happened happened;
    for (uint32_t cache = 0; cache < std::size(kCaches); ++cache) {
        Bench bench(device, kind, kCaches[cache], requests);
        for (uint32_t i = 0; i < schedules && !::testing::Test::HasFailure(); ++i)
            bench.run_schedule({.seed = 7 * i + cache,
                                .tight = i % 2 == 0,
                                .drafter = (i + cache) % 3,
                                .two_threads = is_trial() ? i % 4 > 1 : i == 1 && cache == 0},
                               happened);
    }
    EXPECT_GT(happened.preemptions, 0);
    EXPECT_GT(happened.cached, 0);
    EXPECT_GT(happened.kept, 0);
    EXPECT_GT(happened.refused_drafts, 0);
    EXPECT_GT(happened.cancelled, 0);
}

class SameBits : public ::testing::TestWithParam<std::string> {};

constexpr TinyOptions kPlain{.hidden = 64, .intermediate = 96, .head_dim = 16, .vocab = 211};

int num_requests() { return is_trial() ? 300 : 24; }

TEST_P(SameBits, AloneAndInAnySchedule) { try_schedules(GetParam(), kPlain, num_requests(), static_cast<uint32_t>(trial_size(2))); }

TEST_P(SameBits, OfAMixtureOfExperts) {
    TinyOptions kind = kPlain;
    kind.experts = 4;
    try_schedules(GetParam(), kind, num_requests(), static_cast<uint32_t>(trial_size(1)));
}

TEST_P(SameBits, BehindAWindow) {
    TinyOptions kind = kPlain;
    kind.window = 70;
    try_schedules(GetParam(), kind, num_requests(), static_cast<uint32_t>(trial_size(1)));
}

std::string name_of_device(const ::testing::TestParamInfo<std::string>& device) {
    std::string name = device.param;
    std::ranges::replace(name, ':', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Devices, SameBits, ::testing::ValuesIn(devices_here()), name_of_device);

}  // namespace
}  // namespace hearth::testing
