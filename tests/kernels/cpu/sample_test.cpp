// The sampling variants against the reference, draw by draw: parameters at their edges, ties, rows of odd length.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/make_backend.h"
#include "kernels/reference/reference.h"
#include "tests/kernels/cpu/sample_rows.h"
#include "tests/kernels/inputs.h"
#include "tests/kernels/run.h"

namespace hearth::testing {
namespace {

struct Draws {
    std::vector<int32_t> ids;
    std::vector<float> probabilities;
};

Draws draw(const Variant<SampleArgs>& variant, const Backend& backend, const std::vector<float>& logits,
           const std::vector<SampleParams>& params, const std::vector<int32_t>& history, bool want_probabilities = true) {
    const auto rows = static_cast<int64_t>(params.size()), vocab = static_cast<int64_t>(logits.size()) / rows;
    std::vector<int32_t> starts{0}, positions;
    std::vector<int32_t> histories, answers;
    for (int64_t s = 0; s < rows; ++s) {
        // Prompts of every length, none and the whole history among them.
        answers.push_back(static_cast<int32_t>(histories.size() + static_cast<size_t>(s) % (history.size() + 1)));
        histories.insert(histories.end(), history.begin(), history.end());
        starts.push_back(static_cast<int32_t>(histories.size()));
        positions.push_back(static_cast<int32_t>(100 + s));
    }
    Draws out{std::vector<int32_t>(params.size(), -7), std::vector<float>(want_probabilities ? logits.size() : 0, -7.0f)};
    SampleArgs a;
    a.logits = {logits.data(), {rows, vocab}};
    a.params = {params.data(), {rows}};
    a.history = {histories.data(), {static_cast<int64_t>(histories.size())}};
    a.history_starts = {starts.data(), {rows + 1}};
    a.answer_starts = {answers.data(), {rows}};
    a.positions = {positions.data(), {rows}};
    a.ids = {out.ids.data(), {rows}};
    if (want_probabilities) a.probabilities = {out.probabilities.data(), {rows, vocab}};
    testing::run(variant, a, backend);
    return out;
}

std::vector<SampleParams> parameters() {
    std::vector<SampleParams> all;
    for (const float temperature : {0.0f, 0.3f, 1.0f, 2.5f}) {
        for (const int32_t top_k : {0, 1, 5, 40, 100000}) {
            for (const float top_p : {1.0f, 0.95f, 0.5f, 0.01f, 0.0f}) {
                for (const float min_p : {0.0f, 0.05f, 0.9f}) {
                    SampleParams p;
                    p.temperature = temperature;
                    p.top_k = top_k;
                    p.top_p = top_p;
                    p.min_p = min_p;
                    p.repetition_penalty = top_k == 5 ? 1.3f : 1.0f;
                    p.frequency_penalty = top_k == 40 ? 0.7f : 0.0f;
                    p.presence_penalty = top_k == 40 ? -0.4f : 0.0f;
                    p.seed = all.size() * 77;
                    all.push_back(p);
                }
            }
        }
    }
    return all;
}

enum class Kind { kNormal, kTied, kFlat, kSteep };

std::vector<float> logits_of(Kind kind, int64_t vocab, int64_t rows, std::mt19937& random) {
    std::normal_distribution<float> normal(0, kind == Kind::kSteep ? 30.0f : 3.0f);
    std::vector<float> logits(static_cast<size_t>(vocab * rows));
    for (float& x : logits) {
        x = kind == Kind::kFlat ? 0.25f : normal(random);
        if (kind == Kind::kTied) x = std::round(x);
    }
    if (vocab > 3) logits[3] = -INFINITY;
    return logits;
}

TEST(SampleRows, DrawWhatTheReferenceDraws) {
    std::mt19937 random(5);
    const auto reference = make_backend({.device = "reference"});
    const std::vector<SampleParams> params = parameters();
    const auto rows = static_cast<int64_t>(params.size());
    for (const int64_t vocab : {1, 7, 8, 33, 1000}) {
        for (const Kind kind : {Kind::kNormal, Kind::kTied, Kind::kFlat, Kind::kSteep}) {
            const std::vector<float> logits = logits_of(kind, vocab, rows, random);
            const std::vector<int32_t> history = vocab > 6 ? std::vector<int32_t>{0, 5, 5, 2, 6, 5} : std::vector<int32_t>{0, 0};
            const Draws want = draw(kSampleReference, *reference, logits, params, history);
            for_each_sample_variant(3, [&](const Variant<SampleArgs>& variant, const Backend& backend) {
                const Draws got = draw(variant, backend, logits, params, history);
                EXPECT_EQ(got.ids, want.ids) << variant.name << ", vocabulary " << vocab;
                for (size_t i = 0; i < want.probabilities.size(); ++i) {
                    ASSERT_NEAR(got.probabilities[i], want.probabilities[i], 1e-6)
                        << variant.name << ", vocabulary " << vocab << ", row " << i / static_cast<size_t>(vocab);
                }
                EXPECT_EQ(draw(variant, backend, logits, params, history, false).ids, want.ids) << variant.name << " without probabilities";
            });
        }
    }
}

TEST(SampleRows, ALargeVocabularyIsCutAsTheReferenceCutsIt) {
    std::mt19937 random(6);
    const auto reference = make_backend({.device = "reference"});
    std::vector<SampleParams> params;
    for (const int32_t top_k : {0, 20, 1000}) {
        for (const float top_p : {1.0f, 0.9f, 0.2f}) {
            params.emplace_back();
            params.back().top_k = top_k;
            params.back().top_p = top_p;
            params.back().seed = 11;
        }
    }
    const std::vector<float> logits = logits_of(Kind::kNormal, 32003, static_cast<int64_t>(params.size()), random);
    const Draws want = draw(kSampleReference, *reference, logits, params, {1, 2, 3});
    for_each_sample_variant(3, [&](const Variant<SampleArgs>& variant, const Backend& backend) {
        const Draws got = draw(variant, backend, logits, params, {1, 2, 3});
        EXPECT_EQ(got.ids, want.ids) << variant.name;
        size_t differ = 0;
        for (size_t i = 0; i < want.probabilities.size(); ++i) differ += std::abs(got.probabilities[i] - want.probabilities[i]) > 1e-7f;
        EXPECT_EQ(differ, 0u) << variant.name;
    });
}

TEST(SampleRows, RefuseWhatIsNoNumber) {
    for_each_sample_variant(3, [](const Variant<SampleArgs>& variant, const Backend& backend) {
        for (const size_t at : {size_t{0}, size_t{9}, size_t{18}}) {
            for (const float bad : {NAN, INFINITY}) {
                std::vector<float> logits(19, 1.0f);
                logits[at] = bad;
                const Draws got = draw(variant, backend, logits, {SampleParams{}}, {});
                EXPECT_EQ(got.ids[0], -1) << variant.name << " with " << bad << " at " << at;
                EXPECT_EQ(std::count(got.probabilities.begin(), got.probabilities.end(), 0.0f), 19);
            }
        }
        EXPECT_EQ(draw(variant, backend, std::vector<float>(19, -INFINITY), {SampleParams{}}, {}).ids[0], -1) << variant.name;
    });
}

TEST(SampleRows, GreedyTakesTheLowestOfEquals) {
    for_each_sample_variant(3, [](const Variant<SampleArgs>& variant, const Backend& backend) {
        std::vector<float> logits(100, -1.0f);
        logits[37] = logits[38] = logits[99] = 2.0f;
        SampleParams greedy;
        greedy.temperature = 0;
        EXPECT_EQ(draw(variant, backend, logits, {greedy}, {}).ids[0], 37) << variant.name;
    });
}

}  // namespace
}  // namespace hearth::testing
