// Log-probabilities, prompt scores and embeddings against what the model gives by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/engine/model_engine.h"
#include "runtime/score.h"
#include "tests/runtime/engine/requests.h"
#include "tests/runtime/engine/transcript.h"
#include "tests/runtime/tiny_model.h"

namespace hearth::testing {
namespace {

constexpr int64_t kStepTokens[] = {1, 7, 32, 512};

/// The log-probabilities of every id at every place of `text` from the second on.
std::vector<std::vector<float>> all_rows(const Model& model, std::span<const int32_t> text) {
    std::vector<std::vector<float>> out;
    ScoreOptions options;
    options.rows = [&](const ScoredRows& rows) {
        for (int64_t r = 0; r < rows.expected.extent[0]; ++r)
            out.emplace_back(rows.expected.row(r), rows.expected.row(r) + rows.expected.extent[1]);
    };
    log_probabilities(model, text, options);
    return out;
}

void expect_right(const Token& token, const std::vector<float>& row, size_t top) {
    EXPECT_NEAR(token.log_probability, row[static_cast<size_t>(token.id)], 1e-5);
    ASSERT_EQ(token.top.size(), top);
    std::vector<size_t> order(row.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, std::greater<>(), [&](size_t id) { return row[id]; });
    for (size_t i = 0; i < top; ++i) {
        EXPECT_EQ(token.top[i].id, static_cast<int32_t>(order[i]));
        EXPECT_NEAR(token.top[i].log_probability, row[order[i]], 1e-5);
    }
}

TEST(LogProbabilities, AreTheModelsOwnWhateverPenaltiesAndTemperatureSay) {
    const auto model = tiny_model();
    for (const int64_t step : kStepTokens) {
        ModelEngine engine(model, {.max_step_tokens = step}, model);
        for (const int32_t top : {0, 1, 5, 20}) {
            Request request = request_number(9);
            request.sampling = {.temperature = 1.7f, .top_k = 30, .repetition_penalty = 1.5f, .seed = 6};
            request.logit_bias = {{.id = 4, .value = 3}};
            request.top_log_probabilities = top;
            std::vector<int32_t> text = request.prompt;
            const Transcript got = run_request(engine, request);
            for (const int32_t id : got.ids()) text.push_back(id);
            const auto rows = all_rows(*model, text);
            for (size_t i = 0; i < got.tokens.size(); ++i)
                expect_right(got.tokens[i], rows[request.prompt.size() - 1 + i], static_cast<size_t>(top));
        }
    }
}

TEST(LogProbabilities, NobodyGetsThemWhoDidNotAsk) {
    ModelEngine engine(tiny_model(), {});
    for (const Token& token : run_request(engine, request_number(9)).tokens) {
        EXPECT_EQ(token.log_probability, 0);
        EXPECT_TRUE(token.top.empty());
    }
}

TEST(PromptScores, AreThoseOfTheTextWithAndWithoutAnAnswer) {
    const auto model = tiny_model();
    for (const int64_t step : kStepTokens) {
        ModelEngine engine(model, {.max_step_tokens = step});
        for (const size_t length : {2u, 32u, 33u, 97u}) {
            Request request = short_request(std::vector<int32_t>(length), 0);
            for (size_t i = 0; i < length; ++i) request.prompt[i] = static_cast<int32_t>(i * 17 % 61);
            request.score_prompt = true;
            request.speculate = false;  // so that computed tokens can be counted
            const std::vector<float> want = log_probabilities(*model, request.prompt);
            for (const int64_t answer : {0, 3}) {
                request.max_tokens = answer;
                request.top_log_probabilities = answer > 0 ? 2 : -1;
                const int64_t before = engine.stats().tokens;
                const Transcript got = run_request(engine, request);
                EXPECT_EQ(std::ssize(got.tokens), answer);
                EXPECT_EQ(*got.end.finish, FinishReason::kLength);
                ASSERT_EQ(got.scores.size(), length - 1);
                const auto rows = all_rows(*model, request.prompt);
                for (size_t i = 0; i + 1 < length; ++i) {
                    EXPECT_EQ(got.scores[i].id, request.prompt[i + 1]);
                    EXPECT_NEAR(got.scores[i].log_probability, want[i], 1e-5);
                    expect_right(got.scores[i], rows[i], answer > 0 ? 2 : 0);
                }
                const auto tokens = static_cast<int64_t>(length);
                EXPECT_EQ(engine.stats().tokens - before, answer > 0 ? tokens + answer - 1 : tokens - 1)
                    << "nothing is drawn for scores alone";
            }
        }
    }
}

TEST(PromptScores, OfOneTokenAreNone) {
    ModelEngine engine(tiny_model(), {});
    Request request = short_request({5}, 0);
    request.score_prompt = true;
    const Transcript got = run_request(engine, request);
    EXPECT_TRUE(got.scores.empty());
    EXPECT_EQ(*got.end.finish, FinishReason::kLength);
}

/// The mean over the tokens of the last layer's states behind the last norm, by hand.
std::vector<double> mean_of_states(const Model& model, const std::vector<int32_t>& tokens) {
    const auto count = static_cast<int64_t>(tokens.size());
    const int64_t hidden = model.config().hidden;
    const KvCache cache(model.config(), model.backend(), 8, DType::kBf16);
    Model::Workspace workspace(model, count, 1);
    Batch batch;
    batch.begin(8);
    batch.add(tokens, 0, std::vector<BlockId>{0, 1, 2, 3, 4, 5, 6, 7}, 1);
    std::vector<double> mean(static_cast<size_t>(hidden));
    model.forward(batch, cache, workspace, [&](int64_t layer, View<const float, 2> x) {
        if (layer != model.config().layers) return;
        for (int64_t t = 0; t < count; ++t) {
            double squares = 0;
            for (int64_t i = 0; i < hidden; ++i) squares += double{x(t, i)} * double{x(t, i)};
            const double scale = 1 / std::sqrt(squares / static_cast<double>(hidden) + double{model.config().rms_eps});
            for (int64_t i = 0; i < hidden; ++i)
                mean[static_cast<size_t>(i)] +=
                    double{x(t, i)} * scale * double{model.weights().final_norm.view()(i)} / static_cast<double>(count);
        }
    });
    return mean;
}

TEST(Embedding, IsTheMeanOfTheLastHiddenStatesInAnyChunks) {
    const auto model = tiny_model();
    Request request = short_request(std::vector<int32_t>(90), 5);
    for (size_t i = 0; i < 90; ++i) request.prompt[i] = static_cast<int32_t>(i * i % 61);
    request.goal = Request::Goal::kEmbedding;
    const auto want = mean_of_states(*model, request.prompt);
    std::vector<Transcript> all;
    for (const int64_t step : kStepTokens) {
        ModelEngine engine(model, {.max_sequences = 1, .max_step_tokens = step});
        all.push_back(run_request(engine, request));
        EXPECT_EQ(*all.back().end.finish, FinishReason::kStop);
        EXPECT_TRUE(all.back().tokens.empty());
        ASSERT_EQ(all.back().embedding.size(), want.size());
        for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(double{all.back().embedding[i]}, want[i], 1e-5);
        EXPECT_EQ(difference(all[0], all.back()), "") << "chunks of " << step;
    }
}

}  // namespace
}  // namespace hearth::testing
