#include "runtime/engine/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "kernels/make_backend.h"
#include "tests/support/shared.h"

namespace hearth {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<const Backend> backend_named(const std::string& device) {
    BackendOptions options;
    options.device = device;
    return make_backend(options);
}

SampleParams params_of(const nlohmann::json& c) {
    SampleParams p;
    p.temperature = c.at("temperature");
    p.top_k = c.at("top_k");
    p.top_p = c.at("top_p");
    p.min_p = c.at("min_p");
    p.repetition_penalty = c.at("repetition_penalty");
    p.frequency_penalty = c.at("frequency_penalty");
    p.presence_penalty = c.at("presence_penalty");
    return p;
}

/// The probabilities of ids that no sampler can tell apart (equal logits, equally often in the history), sorted. Which of several equals
/// top_p cuts off is the whim of a sort that is not stable, so the goldens say it only up to that.
std::map<std::pair<float, int64_t>, std::vector<float>> by_equals(const std::vector<float>& logits, const std::vector<int32_t>& history,
                                                                  const std::vector<float>& probabilities) {
    std::map<std::pair<float, int64_t>, std::vector<float>> out;
    for (size_t i = 0; i < logits.size(); ++i)
        out[{logits[i], std::ranges::count(history, static_cast<int32_t>(i))}].push_back(probabilities[i]);
    for (auto& [what, group] : out) std::ranges::sort(group);
    return out;
}

/// One sampler for rows of `vocab` logits, and its stream.
struct Bench {
    std::shared_ptr<const Backend> backend;
    int64_t vocab;
    Sampler sampler;
    std::unique_ptr<Stream> stream;

    Bench(int64_t rows, int64_t vocab_, const std::string& device = "reference")
        : backend(backend_named(device)), vocab(vocab_), sampler(*backend, rows, vocab_), stream(backend->make_stream()) {
        stream->reserve(sampler.workspace_bytes());
    }
    std::vector<int32_t> draw(const std::vector<float>& logits, const std::vector<Sampler::Row>& rows) {
        std::vector<int32_t> ids;
        for (const Token& token : sampler.draw({logits.data(), {static_cast<int64_t>(rows.size()), vocab}}, rows, *stream))
            ids.push_back(token.id);
        return ids;
    }
};

TEST(Sampler, LeavesTheDistributionsThatTransformersProcessorsLeave) {
    std::ifstream file(testing::golden_dir() / "samplers.json");
    if (!file) GTEST_SKIP() << "skipped: no samplers.json there";
    const auto golden = nlohmann::json::parse(file);
    for (const std::string device : {"reference", "cpu"}) {
        const auto backend = backend_named(device);
        const auto stream = backend->make_stream();
        int number = 0;
        for (const auto& c : golden.at("cases")) {
            const std::vector<float> logits = c.at("logits"), want = c.at("probabilities");
            const std::vector<int32_t> history = c.at("history");
            const auto V = static_cast<int64_t>(logits.size());
            const SampleParams params = params_of(c);
            const std::vector<int32_t> starts = {0, static_cast<int32_t>(history.size())};
            const int32_t position = 9;
            int32_t id = -2;
            std::vector<float> got(logits.size(), -1.0f);
            const SampleArgs args{.logits = {logits.data(), {1, V}},
                                  .params = {&params, {1}},
                                  .history = {history.data(), {starts[1]}},
                                  .history_starts = {starts.data(), {2}},
                                  .answer_starts = {starts.data(), {1}},  // the goldens have one history for all penalties
                                  .positions = {&position, {1}},
                                  .ids = {&id, {1}},
                                  .probabilities = {got.data(), {1, V}}};
            const auto& variant = select(backend->tables().sample, args, backend->device());
            stream->reserve(variant.workspace_bytes(args, backend->device()));
            variant.run(args, *stream);
            const auto got_groups = by_equals(logits, history, got), want_groups = by_equals(logits, history, want);
            for (const auto& [what, wanted] : want_groups) {
                const auto& found = got_groups.at(what);
                for (size_t i = 0; i < wanted.size(); ++i)
                    EXPECT_NEAR(found[i], wanted[i], 3e-6) << device << ", case " << number << ", logit " << what.first;
            }
            ASSERT_GE(id, 0) << device << ", case " << number;
            EXPECT_GT(got[static_cast<size_t>(id)], 0) << device << ", case " << number << ": drew what was ruled out";
            ++number;
        }
        EXPECT_GE(number, 60);
    }
}

TEST(Sampler, DrawsAsOftenAsTheDistributionSays) {
    const std::vector<float> one = {0.1f, 1.2f, -0.5f, 2.0f, 0.7f, -3.0f, 1.9f, 0.0f};
    constexpr int64_t kRows = 64, kDraws = 64 * 400;
    Bench bench(kRows, 8);
    SampleParams params;
    params.temperature = 1.3f;
    std::vector<double> want(8);
    double sum = 0;
    for (size_t i = 0; i < 8; ++i) sum += want[i] = std::exp(double{one[i]} / double{params.temperature});
    std::vector<float> logits;
    for (int64_t r = 0; r < kRows; ++r) logits.insert(logits.end(), one.begin(), one.end());
    const auto chi_square = [&](const auto& seed_of, const auto& tokens_of) {
        std::vector<int64_t> counts(8);
        std::vector<SampleParams> all(kRows, params);
        for (int64_t at = 0; at < kDraws; at += kRows) {
            std::vector<Sampler::Row> rows;
            for (int64_t r = 0; r < kRows; ++r) {
                all[static_cast<size_t>(r)].seed = seed_of(at + r);
                rows.push_back({&all[static_cast<size_t>(r)], tokens_of(at + r)});
            }
            for (const int32_t id : bench.draw(logits, rows)) ++counts[static_cast<size_t>(id)];
        }
        double chi = 0;
        for (size_t i = 0; i < 8; ++i) {
            const double expected = want[i] / sum * kDraws;
            chi += (static_cast<double>(counts[i]) - expected) * (static_cast<double>(counts[i]) - expected) / expected;
        }
        return chi;
    };
    const std::vector<int32_t> tokens(kDraws, 1);
    const auto first = [&](int64_t count) { return std::span(tokens).first(static_cast<size_t>(count)); };
    // 7 degrees of freedom: above 24.3 one time in a thousand; the draws are fixed, so this never changes by itself.
    EXPECT_LT(chi_square([](int64_t i) { return static_cast<uint64_t>(i); }, [&](int64_t) { return first(10); }), 24.3) << "over seeds";
    EXPECT_LT(chi_square([](int64_t) { return uint64_t{42}; }, [&](int64_t i) { return first(i); }), 24.3) << "over positions";
    EXPECT_LT(chi_square([](int64_t i) { return static_cast<uint64_t>(i) << 32; }, [&](int64_t) { return first(10); }), 24.3)
        << "over the upper half of seeds";
}

TEST(Sampler, DrawsTheSameForTheSameSeedAndPositionWhateverStandsBeside) {
    Bench bench(3, 50);
    std::vector<float> logits(150);
    for (size_t i = 0; i < 150; ++i) logits[i] = static_cast<float>(i * 37 % 101) / 40;
    SampleParams a, b;
    a.seed = 11;
    b.seed = 12;
    b.repetition_penalty = 1.3f;
    const std::vector<int32_t> tokens(30, 4);
    const auto alone = bench.draw({logits.begin(), logits.begin() + 50}, {{&a, tokens}});
    const std::vector<float> reordered = [&] {
        std::vector<float> out(logits.begin() + 50, logits.end());
        out.insert(out.end(), logits.begin(), logits.begin() + 50);
        return out;
    }();
    EXPECT_EQ(bench.draw(reordered, {{&b, tokens}, {&b, std::span(tokens).first(7)}, {&a, tokens}})[2], alone[0]);
    std::vector<int32_t> over_positions, over_seeds;
    for (size_t n = 0; n < 30; ++n) {
        over_positions.push_back(bench.draw({logits.begin(), logits.begin() + 50}, {{&a, std::span(tokens).first(n)}})[0]);
        ++a.seed;
        over_seeds.push_back(bench.draw({logits.begin(), logits.begin() + 50}, {{&a, tokens}})[0]);
    }
    EXPECT_GT(std::set<int32_t>(over_positions.begin(), over_positions.end()).size(), 8u);
    EXPECT_GT(std::set<int32_t>(over_seeds.begin(), over_seeds.end()).size(), 8u);
}

TEST(Sampler, TakesTheFirstOfTheLargestAtTemperatureZero) {
    Bench bench(2, 5);
    SampleParams greedy;
    greedy.temperature = 0;
    const std::vector<int32_t> tokens = {3};
    EXPECT_THAT(bench.draw({1, 4, 2, 4, 0, -9, -8, -7, -6, -5}, {{&greedy, tokens}, {&greedy, tokens}}), ElementsAre(1, 4));
    greedy.repetition_penalty = 2;
    EXPECT_THAT(bench.draw({1, 3, 2, 4, 0}, {{&greedy, tokens}}), ElementsAre(1)) << "penalties hold for greedy answers too";
}

TEST(Sampler, FrequencyAndPresencePenaltiesCountTheAnswerAlone) {
    for (const std::string device : {"reference", "cpu"}) {
        Bench bench(2, 4, device);
        SampleParams frequency, presence;
        frequency.temperature = presence.temperature = 0;
        frequency.frequency_penalty = 1;
        presence.presence_penalty = 2;
        const std::vector<int32_t> tokens = {2, 2, 2, 2, 2};
        const std::vector<float> logits = {0, 1, 3.5, 0, 0, 1, 3.5, 0};
        const auto drawn = [&](int64_t prompt) { return bench.draw(logits, {{&frequency, tokens, prompt}, {&presence, tokens, prompt}}); };
        EXPECT_THAT(drawn(5), ElementsAre(2, 2)) << device << ": a prompt is nothing to be avoided";
        EXPECT_THAT(drawn(4), ElementsAre(2, 2)) << device;  // 3.5 - 1 and 3.5 - 2 are still the largest
        EXPECT_THAT(drawn(2), ElementsAre(1, 2)) << device << ": 3.5 - 3, and 3.5 - 2 once";
        EXPECT_THAT(drawn(0), ElementsAre(1, 2)) << device;
        presence.presence_penalty = 3;
        EXPECT_THAT(drawn(4), ElementsAre(2, 1)) << device;
        EXPECT_THAT(drawn(5), ElementsAre(2, 2)) << device;
    }
}

TEST(Sampler, TheRepetitionPenaltyCountsPromptAndAnswer) {
    for (const std::string device : {"reference", "cpu"}) {
        Bench bench(1, 4, device);
        SampleParams p;
        p.temperature = 0;
        p.repetition_penalty = 4;
        const std::vector<int32_t> tokens = {2, 2, 2};
        for (const int64_t prompt : {0, 2, 3}) EXPECT_THAT(bench.draw({0, 1, 3.5, 0}, {{&p, tokens, prompt}}), ElementsAre(1)) << device;
    }
}

TEST(Sampler, CountsEachOccurrenceForTheFrequencyPenalty) {
    Bench bench(1, 4);
    SampleParams p;
    p.temperature = 0;
    p.frequency_penalty = 1;
    const std::vector<int32_t> tokens = {2, 2, 2};
    EXPECT_THAT(bench.draw({0, 1, 3.5, 0}, {{&p, tokens}}), ElementsAre(1));
    EXPECT_THAT(bench.draw({0, 1, 4.5, 0}, {{&p, tokens}}), ElementsAre(2));
}

TEST(Sampler, MarksOnlyTheRowsWhoseLogitsAreNotNumbers) {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
    Bench bench(4, 3);
    SampleParams greedy;
    greedy.temperature = 0;
    const std::vector<int32_t> tokens = {0};
    const Sampler::Row row{&greedy, tokens};
    EXPECT_THAT(bench.draw({1, kNan, 0, 0, 5, 1, -kInf, -kInf, -kInf, 2, -kInf, 1}, {row, row, row, row}), ElementsAre(-1, 1, -1, 0));
    SampleParams random;
    EXPECT_THAT(bench.draw({1, kNan, 0}, {{&random, tokens}}), ElementsAre(-1));
}

TEST(Sampler, RefusesParametersOutsideTheirRangeByName) {
    const auto message = [](const auto& change) {
        SampleParams p;
        change(p);
        try {
            check_sampling(p);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
    EXPECT_EQ(message([](SampleParams&) {}), "accepted");
    EXPECT_EQ(message([](SampleParams& p) { p.temperature = 0, p.top_p = 0, p.min_p = 1; }), "accepted");
    EXPECT_EQ(message([](SampleParams& p) { p.top_p = 1.5f; }), "top_p: expected 0 to 1, found 1.5");
    EXPECT_THAT(message([](SampleParams& p) { p.temperature = -1; }), ::testing::StartsWith("temperature"));
    EXPECT_THAT(message([](SampleParams& p) { p.temperature = kNan; }), ::testing::StartsWith("temperature"));
    EXPECT_THAT(message([](SampleParams& p) { p.temperature = kInf; }), ::testing::StartsWith("temperature"));
    EXPECT_THAT(message([](SampleParams& p) { p.top_k = -1; }), ::testing::StartsWith("top_k"));
    EXPECT_THAT(message([](SampleParams& p) { p.min_p = -0.1f; }), ::testing::StartsWith("min_p"));
    EXPECT_THAT(message([](SampleParams& p) { p.repetition_penalty = 0; }), ::testing::StartsWith("repetition_penalty"));
    EXPECT_THAT(message([](SampleParams& p) { p.frequency_penalty = kNan; }), ::testing::StartsWith("frequency_penalty"));
    EXPECT_THAT(message([](SampleParams& p) { p.presence_penalty = -kInf; }), ::testing::StartsWith("presence_penalty"));
}

}  // namespace
}  // namespace hearth
