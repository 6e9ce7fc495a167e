// Masks, biases and given tokens: every variant against the reference in all combinations, and what each of them means.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "kernels/make_backend.h"
#include "kernels/reference/reference.h"
#include "tests/kernels/cpu/sample_rows.h"

namespace hearth::testing {
namespace {

int32_t below(int64_t end, std::mt19937& random) { return static_cast<int32_t>(random() % static_cast<uint32_t>(end)); }

std::vector<int32_t> some_ids(int64_t vocab, double share, std::mt19937& random) {
    std::vector<int32_t> ids;
    std::bernoulli_distribution take(share);
    for (int32_t id = 0; id < vocab; ++id) {
        if (take(random)) ids.push_back(id);
    }
    return ids;
}

SampleParams some_params(std::mt19937& random) {
    SampleParams p;
    p.temperature = std::array{0.0f, 0.7f, 1.0f, 2.0f}[random() % 4];
    p.top_k = std::array{0, 0, 1, 5, 40}[random() % 5];
    p.top_p = std::array{1.0f, 0.95f, 0.5f}[random() % 3];
    p.min_p = std::array{0.0f, 0.0f, 0.05f}[random() % 3];
    if (random() % 2) p.repetition_penalty = 1.3f;
    if (random() % 2) p.frequency_penalty = 0.7f, p.presence_penalty = -0.4f;
    p.seed = random();
    return p;
}

/// A row with some of everything.
SampleRow feature_row(int64_t vocab, std::mt19937& random) {
    SampleRow row = random_row(vocab, random() % 2 == 0, random);
    row.params = some_params(random);
    for (int i = 0; i < 6; ++i) (i < 3 ? row.prompt : row.answer).push_back(below(vocab, random));
    const double allowed = std::array{0.0, 0.02, 0.5, 1.0}[random() % 4];
    if (random() % 3) row.mask = mask_of(vocab, some_ids(vocab, allowed, random), random() % 2);
    for (auto count = random() % 2 * 5; count > 0; --count)
        row.bias.emplace_back(below(vocab, random), std::array{-INFINITY, -3.5f, 0.25f, 8.0f}[random() % 4]);
    if (random() % 20 == 0) row.logits[static_cast<size_t>(below(vocab, random))] = random() % 2 ? NAN : INFINITY;
    if (random() % 3 == 0) row.given = below(vocab, random);
    row.wanted = std::array{-1, 0, 3, 20}[random() % 4];
    return row;
}

void expect_near(float got, float want, float tolerance, const std::string& where) {
    if (std::isnan(want) || std::isinf(want)) {
        EXPECT_TRUE(std::isnan(want) ? std::isnan(got) : got == want) << got << " and " << want << where;
    } else {
        EXPECT_NEAR(got, want, tolerance) << where;
    }
}

void expect_like(const SampleOutcome& got, const SampleOutcome& want, const std::string& where) {
    ASSERT_EQ(got.id, want.id) << where;
    ASSERT_EQ(got.top_ids, want.top_ids) << where;
    for (size_t i = 0; i < got.probabilities.size(); ++i) expect_near(got.probabilities[i], want.probabilities[i], 1e-6f, where);
    expect_near(got.log_probability, want.log_probability, 1e-5f, where);
    for (size_t i = 0; i < want.top_ids.size(); ++i) expect_near(got.top_log_probabilities[i], want.top_log_probabilities[i], 1e-5f, where);
}

TEST(SampleFeatures, AreInAllCombinationsThoseOfTheReference) {
    const auto reference = make_backend({.device = "reference"});
    std::mt19937 random(3);
    for (const int64_t vocab : {1, 7, 31, 32, 33, 64, 100, 1000, 4099}) {
        std::vector<SampleRow> rows;
        for (int i = 0; i < (vocab > 1000 ? 100 : 400); ++i) rows.push_back(feature_row(vocab, random));
        const std::vector<SampleOutcome> want = sample_rows(kSampleReference, *reference, rows);
        for_each_sample_variant(3, [&](const Variant<SampleArgs>& variant, const Backend& backend) {
            const std::vector<SampleOutcome> got = sample_rows(variant, backend, rows),
                                             bare = sample_rows(variant, backend, rows, 0, false);
            for (size_t i = 0; i < rows.size() && !HasFatalFailure(); ++i) {
                const std::string where = std::string(" of ") + std::string(variant.name) + ", vocabulary " + std::to_string(vocab) +
                                          ", row " + std::to_string(i);
                expect_like(got[i], want[i], where);
                EXPECT_EQ(bare[i].id, want[i].id) << "without probabilities" << where;
                EXPECT_TRUE(same_bits({.log_probability = bare[i].log_probability}, {.log_probability = got[i].log_probability})) << where;
            }
        });
    }
}

TEST(SampleFeatures, AMaskOfOneBitGivesThatId) {
    std::mt19937 random(4);
    for_each_sample_variant_and_reference([&](const Variant<SampleArgs>& variant, const Backend& backend) {
        for (const int64_t vocab : {1, 31, 32, 33, 71}) {
            std::vector<SampleRow> rows;
            for (int32_t id = 0; id < vocab; ++id) {
                rows.push_back(random_row(vocab, false, random));
                rows.back().logits[static_cast<size_t>(id)] = -50;
                rows.back().mask = mask_of(vocab, {id});
                rows.back().params = some_params(random);
            }
            const std::vector<SampleOutcome> got = sample_rows(variant, backend, rows);
            for (int32_t id = 0; id < vocab; ++id) {
                const SampleOutcome& row = got[static_cast<size_t>(id)];
                EXPECT_EQ(row.id, id) << variant.name << ", vocabulary " << vocab;
                EXPECT_EQ(row.probabilities[static_cast<size_t>(id)], 1) << variant.name;
                EXPECT_EQ(std::reduce(row.probabilities.begin(), row.probabilities.end()), 1) << variant.name;
            }
        }
    });
}

TEST(SampleFeatures, ABiasIsAddedAfterThePenalties) {
    SampleRow row{.logits = {2, 2}, .params = {.temperature = 0, .repetition_penalty = 2}, .prompt = {0}, .bias = {{0, 1.5f}}};
    SampleRow shared = row;  // 2 / 2 + 1.5 = 2.5 against 2: log-odds of 0.5
    shared.params.temperature = 1;
    for_each_sample_variant_and_reference([&](const Variant<SampleArgs>& variant, const Backend& backend) {
        const std::vector<SampleOutcome> got = sample_rows(variant, backend, std::array{row, shared});
        EXPECT_EQ(got[0].id, 0) << variant.name;
        EXPECT_NEAR(std::log(got[1].probabilities[0] / got[1].probabilities[1]), 0.5, 1e-5) << variant.name;
    });
}

TEST(SampleFeatures, BiasesOfOneIdAddUpAndMinusInfinityBansIt) {
    const SampleRow twice{.logits = {0, 0, 0}, .bias = {{1, 1.0f}, {2, -INFINITY}, {1, -3.0f}, {2, 100.0f}}};
    for_each_sample_variant_and_reference([&](const Variant<SampleArgs>& variant, const Backend& backend) {
        const SampleOutcome got = sample_rows(variant, backend, {&twice, 1})[0];
        EXPECT_NEAR(std::log(got.probabilities[1] / got.probabilities[0]), -2, 1e-5) << variant.name;
        EXPECT_EQ(got.probabilities[2], 0) << variant.name;
    });
}

/// Rows without a token: nothing is left, or a logit is no number; drawn and given.
std::vector<SampleRow> rows_without_token() {
    std::mt19937 random(5);
    std::vector<SampleRow> rows;
    for (const int32_t given : {-1, 6}) {
        for (const float temperature : {0.0f, 1.0f}) {
            SampleRow row = random_row(40, false, random);
            row.given = given;
            row.params.temperature = temperature;
            row.wanted = 5;
            rows.push_back(row), rows.back().mask = mask_of(40, {});
            rows.push_back(row), rows.back().mask = mask_of(40, {3, 39});  // 3 is -infinity
            rows.back().bias = {{39, -INFINITY}};
            rows.push_back(row), rows.back().logits[39] = NAN;
            rows.push_back(row), rows.back().logits[0] = INFINITY;
            rows.push_back(row), rows.back().logits[20] = NAN, rows.back().mask = mask_of(40, {6});
            rows.push_back(row), rows.back().logits.assign(40, -INFINITY), rows.back().bias = {{1, 5.0f}};
        }
    }
    return rows;
}

TEST(SampleFeatures, ARowWithNothingLeftHasNoToken) {
    const std::vector<SampleRow> rows = rows_without_token();
    for_each_sample_variant_and_reference([&](const Variant<SampleArgs>& variant, const Backend& backend) {
        for (const bool probabilities : {true, false}) {
            const std::vector<SampleOutcome> got = sample_rows(variant, backend, rows, 20, probabilities);
            for (size_t i = 0; i < rows.size(); ++i) {
                EXPECT_EQ(got[i].id, -1) << variant.name << ", row " << i;
                EXPECT_TRUE(std::isnan(got[i].log_probability)) << variant.name << ", row " << i;
                EXPECT_EQ(got[i].top_ids, std::vector<int32_t>(20, -1)) << variant.name << ", row " << i;
                EXPECT_EQ(got[i].probabilities, std::vector<float>(probabilities ? 40 : 0, 0.0f)) << variant.name << ", row " << i;
            }
        }
    });
}

TEST(SampleFeatures, AGivenTokenIsTakenAndChangesNothingElse) {
    std::mt19937 random(6);
    std::vector<SampleRow> drawn, given;
    for (int i = 0; i < 50; ++i) {
        SampleRow row = random_row(333, false, random);
        row.params = some_params(random);
        row.mask = mask_of(333, some_ids(333, 0.5, random));
        drawn.push_back(row);
        row.given = below(333, random);
        given.push_back(row);
    }
    for_each_sample_variant_and_reference([&](const Variant<SampleArgs>& variant, const Backend& backend) {
        const std::vector<SampleOutcome> a = sample_rows(variant, backend, drawn), b = sample_rows(variant, backend, given);
        for (size_t i = 0; i < drawn.size(); ++i) {
            EXPECT_EQ(b[i].id, given[i].given) << variant.name;
            EXPECT_EQ(a[i].probabilities, b[i].probabilities) << variant.name;
        }
    });
}

}  // namespace
}  // namespace hearth::testing
