// Log-probabilities of `sample`: a distribution over all ids, of the logits as they came, in an order and with bits that nothing else
// changes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "tests/kernels/cpu/sample_rows.h"

namespace hearth::testing {
namespace {

TEST(LogProbabilities, OfAllIdsSumToOne) {
    std::mt19937 random(1);
    for (const int64_t vocab : {1, 5, 63, 1000}) {
        const SampleRow row = random_row(vocab, false, random);
        std::vector<SampleRow> rows(static_cast<size_t>(vocab), row);
        for (size_t id = 0; id < rows.size(); ++id) {
            rows[id].given = static_cast<int32_t>(id);
            rows[id].wanted = 0;
        }
        for_each_sample_variant_and_reference([&](const Variant<SampleArgs>& variant, const Backend& backend) {
            double sum = 0;
            const std::vector<SampleOutcome> got = sample_rows(variant, backend, rows);
            for (size_t id = 0; id < rows.size(); ++id) {
                sum += std::exp(double{got[id].log_probability});
                EXPECT_EQ(got[id].top_ids, std::vector<int32_t>(20, -1)) << variant.name;
            }
            EXPECT_NEAR(sum, 1, 1e-6) << variant.name << ", vocabulary " << vocab;
        });
    }
}

TEST(LogProbabilities, OfTheMostLikelyAreInOrderWithTheLowerIdFirstAmongEquals) {
    std::mt19937 random(2);
    for (const int64_t vocab : {1, 3, 19, 20, 21, 40, 1003}) {
        for (const bool tied : {false, true}) {
            SampleRow row = random_row(vocab, tied, random);
            if (tied) row.logits[0] = 0, row.logits.back() = -0.0f;
            row.wanted = 20;
            std::vector<int32_t> order(static_cast<size_t>(vocab));
            std::iota(order.begin(), order.end(), 0);
            std::ranges::stable_sort(
                order, [&](int32_t a, int32_t b) { return row.logits[static_cast<size_t>(a)] > row.logits[static_cast<size_t>(b)]; });
            order.resize(20, -1);
            for_each_sample_variant_and_reference([&](const Variant<SampleArgs>& variant, const Backend& backend) {
                const SampleOutcome got = sample_rows(variant, backend, {&row, 1})[0];
                EXPECT_EQ(got.top_ids, order) << variant.name << ", vocabulary " << vocab;
                for (size_t i = 0; i < order.size(); ++i) {
                    SampleRow given = row;
                    given.given = order[i];
                    if (order[i] < 0) {
                        EXPECT_TRUE(std::isnan(got.top_log_probabilities[i])) << variant.name;
                    } else {
                        EXPECT_EQ(sample_rows(variant, backend, {&given, 1})[0].log_probability, got.top_log_probabilities[i])
                            << variant.name;
                    }
                }
            });
        }
    }
}

TEST(LogProbabilities, AreThoseOfTheLogitsAsTheyCame) {
    std::mt19937 random(3);
    SampleRow plain = random_row(500, false, random);
    plain.given = 7;
    plain.wanted = 20;
    SampleRow changed = plain;
    changed.params = {.temperature = 0.5f, .top_k = 3, .top_p = 0.5f, .repetition_penalty = 1.5f, .presence_penalty = 2};
    changed.prompt = {1, 2, 7};
    changed.answer = {7, 9};
    changed.bias = {{7, -INFINITY}, {8, 5.0f}};
    changed.mask = mask_of(500, {8, 9});
    for_each_sample_variant_and_reference([&](const Variant<SampleArgs>& variant, const Backend& backend) {
        const std::vector<SampleOutcome> got = sample_rows(variant, backend, std::array{plain, changed}, 20, false);
        EXPECT_TRUE(same_bits(got[0], got[1])) << variant.name;
    });
}

TEST(LogProbabilities, AreAsManyAsTheRowWants) {
    std::mt19937 random(4);
    std::vector<SampleRow> rows;
    for (const int32_t wanted : {-1, 0, 1, 4, 5}) {
        rows.push_back(random_row(50, false, random));
        rows.back().wanted = wanted;
    }
    for_each_sample_variant_and_reference([&](const Variant<SampleArgs>& variant, const Backend& backend) {
        const std::vector<SampleOutcome> got = sample_rows(variant, backend, rows, 5);
        for (size_t i = 0; i < rows.size(); ++i) {
            EXPECT_EQ(std::isnan(got[i].log_probability), rows[i].wanted < 0) << variant.name;
            EXPECT_EQ(5 - std::ranges::count(got[i].top_ids, -1), std::max(0, rows[i].wanted)) << variant.name;
            EXPECT_EQ(std::ranges::count_if(got[i].top_log_probabilities, [](float x) { return std::isnan(x); }),
                      std::ranges::count(got[i].top_ids, -1));
        }
    });
}

TEST(LogProbabilities, OfLogitsFarApartNeitherOverflowNorVanish) {
    const SampleRow row{.logits = {3e38f, -3e38f, 3e38f, -INFINITY, 3e38f}, .given = 2, .wanted = 5};
    for_each_sample_variant_and_reference([&](const Variant<SampleArgs>& variant, const Backend& backend) {
        const SampleOutcome got = sample_rows(variant, backend, {&row, 1}, 5)[0];
        EXPECT_NEAR(got.log_probability, -std::log(3.0), 1e-6) << variant.name;
        EXPECT_EQ(got.top_ids, (std::vector<int32_t>{0, 2, 4, 1, 3})) << variant.name;
        EXPECT_EQ(got.top_log_probabilities[4], -INFINITY) << variant.name;
    });
}

TEST(SampleFeatures, ARowHasTheSameBitsAloneAndInCompanyWithAnyThreads) {
    std::mt19937 random(5);
    std::vector<SampleRow> rows;
    for (int i = 0; i < 9; ++i) {
        SampleRow row = random_row(1237, i % 2 == 0, random);
        row.wanted = i % 4 * 5;
        row.params.top_p = 0.9f;
        row.params.repetition_penalty = i % 3 == 0 ? 1.2f : 1.0f;
        row.prompt = {1, 2, static_cast<int32_t>(i)};
        if (i % 3 == 1) row.mask = mask_of(1237, {1, 5, 100, 1000, 1236});
        if (i % 3 == 2) row.bias = {{i, 2.0f}};
        if (i % 4 == 3) row.given = i;
        if (i == 4) row.logits[9] = NAN;
        rows.push_back(row);
    }
    std::map<std::string_view, std::vector<SampleOutcome>> alone;
    for (const int threads : {1, 2, 4}) {
        for_each_sample_variant(threads, [&](const Variant<SampleArgs>& variant, const Backend& backend) {
            std::vector<SampleOutcome>& want = alone[variant.name];
            for (size_t i = want.size(); i < rows.size(); ++i) want.push_back(sample_rows(variant, backend, {&rows[i], 1})[0]);
            const std::vector<SampleOutcome> got = sample_rows(variant, backend, rows);
            std::vector<SampleRow> turned(rows.rbegin(), rows.rend());
            const std::vector<SampleOutcome> backwards = sample_rows(variant, backend, turned);
            for (size_t i = 0; i < rows.size(); ++i) {
                EXPECT_TRUE(same_bits(got[i], want[i])) << variant.name << ", row " << i << ", " << threads << " threads";
                EXPECT_TRUE(same_bits(backwards[rows.size() - 1 - i], want[i])) << variant.name << ", row " << i;
            }
        });
    }
}

}  // namespace
}  // namespace hearth::testing
