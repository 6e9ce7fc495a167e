#include "runtime/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "tests/runtime/test_backend.h"
#include "tests/runtime/tiny_model.h"

namespace hearth {
namespace {

using testing::tiny_model;
using testing::TinyOptions;
using Rows = std::vector<std::vector<float>>;

std::vector<int32_t> some_tokens(int64_t count, int64_t vocab, int32_t seed = 5) {
    std::vector<int32_t> out;
    for (int64_t i = 0; i < count; ++i) out.push_back(static_cast<int32_t>((i * i * 7 + i * 13 + seed) % vocab));
    return out;
}

std::vector<BlockId> blocks_from(int32_t first, int64_t count) {
    std::vector<BlockId> out(static_cast<size_t>(count));
    std::iota(out.begin(), out.end(), first);
    return out;
}

Rows rows_of(View<const float, 2> logits) {
    Rows out;
    for (int64_t r = 0; r < logits.extent[0]; ++r) out.emplace_back(logits.row(r), logits.row(r) + logits.extent[1]);
    return out;
}

/// Logits of every position, in chunks, the sequence lying in `blocks`.
Rows logits_in_chunks(const Model& model, const std::vector<int32_t>& tokens, int64_t chunk, const std::vector<BlockId>& blocks,
                      int64_t num_blocks) {
    const KvCache cache(model.config(), model.backend(), num_blocks, DType::kF32);
    Model::Workspace workspace(model, chunk, chunk);
    Rows out;
    Batch batch;
    for (size_t at = 0; at < tokens.size(); at += static_cast<size_t>(chunk)) {
        const auto part = std::span(tokens).subspan(at, std::min(tokens.size() - at, static_cast<size_t>(chunk)));
        batch.begin(static_cast<int64_t>(blocks.size()));
        batch.add(part, static_cast<int64_t>(at), blocks, static_cast<int64_t>(part.size()));
        for (auto& row : rows_of(model.forward(batch, cache, workspace))) out.push_back(std::move(row));
    }
    return out;
}

TEST(Model, GivesTheSameLogitsHoweverThePromptIsCut) {
    for (const TinyOptions& options : {TinyOptions{}, TinyOptions{.experts = 4}, TinyOptions{.window = 9}, TinyOptions{.tied = true}}) {
        const auto model = tiny_model(options);
        const auto tokens = some_tokens(70, options.vocab);
        const Rows whole = logits_in_chunks(*model, tokens, 70, blocks_from(0, 3), 3);
        ASSERT_EQ(whole.size(), 70u);
        for (const int64_t chunk : {1, 7, 31, 32, 33})
            EXPECT_EQ(logits_in_chunks(*model, tokens, chunk, blocks_from(0, 3), 3), whole) << "chunks of " << chunk;
    }
}

TEST(Model, GivesTheSameLogitsWhereverTheBlocksLie) {
    const auto model = tiny_model();
    const auto tokens = some_tokens(96, 61);
    EXPECT_EQ(logits_in_chunks(*model, tokens, 20, {6, 0, 3}, 7), logits_in_chunks(*model, tokens, 96, {0, 1, 2}, 3));
}

TEST(Model, GivesEachSequenceOfABatchWhatItGetsAlone) {
    const auto model = tiny_model({.experts = 3});
    const std::vector<std::vector<int32_t>> sequences = {some_tokens(40, 61, 1), some_tokens(1, 61, 2), some_tokens(33, 61, 3)};
    const KvCache cache(model->config(), model->backend(), 6, DType::kF32);
    Model::Workspace workspace(*model, 128, 128);
    Batch batch;
    batch.begin(2);
    for (size_t s = 0; s < sequences.size(); ++s) {
        batch.add(sequences[s], 0, blocks_from(static_cast<int32_t>(2 * s), 2), static_cast<int64_t>(sequences[s].size()));
    }
    const Rows together = rows_of(model->forward(batch, cache, workspace));
    size_t row = 0;
    for (const auto& tokens : sequences) {
        for (const auto& alone : logits_in_chunks(*model, tokens, 64, blocks_from(0, 2), 2)) EXPECT_EQ(together[row++], alone);
    }
}

TEST(Model, LetsAQuerySeeNoFurtherThanItsWindow) {
    const auto model = tiny_model({.layers = 1, .window = 4});
    auto tokens = some_tokens(12, 61);
    const Rows before = logits_in_chunks(*model, tokens, 12, {0}, 1);
    tokens[3] = (tokens[3] + 1) % 61;
    const Rows after = logits_in_chunks(*model, tokens, 12, {0}, 1);
    for (size_t p = 0; p < 12; ++p) EXPECT_EQ(before[p] == after[p], p < 3 || p > 6) << "position " << p;
}

TEST(Model, ShowsTheResidualStreamAfterTheEmbeddingAndEachLayer) {
    const auto model = tiny_model({.layers = 3});
    const auto tokens = some_tokens(5, 61);
    const KvCache cache(model->config(), model->backend(), 1, DType::kF32);
    Model::Workspace workspace(*model, 5, 5);
    Batch batch;
    batch.begin(1);
    batch.add(tokens, 0, blocks_from(0, 1), 5);
    Rows states;
    const auto logits = model->forward(batch, cache, workspace, [&](int64_t layer, View<const float, 2> x) {
        EXPECT_EQ(layer, static_cast<int64_t>(states.size()));
        EXPECT_EQ(x.extent, (std::array<int64_t, 2>{5, 32}));
        states.emplace_back(x.data, x.data + x.size());
    });
    ASSERT_EQ(states.size(), 4u);
    const Weights& w = model->weights();
    std::vector<float> row(32);
    unpack_row(w.embed.weight, tokens[2], row.data());
    EXPECT_EQ(row, std::vector<float>(states[0].begin() + 64, states[0].begin() + 96));
    // The logits are those of the last state: norm and head by hand, in double.
    for (int64_t t = 0; t < 5; ++t) {
        const float* x = states[3].data() + t * 32;
        double squares = 0;
        for (int i = 0; i < 32; ++i) squares += double{x[i]} * x[i];
        const double scale = 1 / std::sqrt(squares / 32 + 1e-5);
        for (int64_t v = 0; v < 61; ++v) {
            unpack_row(w.head.weight, v, row.data());
            double sum = 0;
            for (int64_t i = 0; i < 32; ++i) sum += x[i] * scale * double{w.final_norm.view()(i)} * double{row[static_cast<size_t>(i)]};
            EXPECT_NEAR(double{logits(t, v)}, sum, 1e-4);
        }
    }
}

TEST(Model, ComputesNoLogitsThatNobodyWants) {
    const auto model = tiny_model();
    const KvCache cache(model->config(), model->backend(), 1, DType::kBf16);
    Model::Workspace workspace(*model, 8, 2);
    Batch batch;
    batch.begin(1);
    batch.add(some_tokens(8, 61), 0, blocks_from(0, 1), 0);
    EXPECT_EQ(model->forward(batch, cache, workspace).extent[0], 0);
    batch.begin(1);
    batch.add(some_tokens(8, 61), 8, blocks_from(0, 1), 2);
    EXPECT_EQ(model->forward(batch, cache, workspace).extent, (std::array<int64_t, 2>{2, 61}));
}

TEST(Model, RefusesAtLoadAForcedRowThatDoesNotFit) {
    for (const char* stage : {"embed", "qkv", "attention", "project", "gate_up", "head"}) {
        testing::TestBackendOptions options;
        options.forced = {std::string(stage) + "/somewhere-else"};
        try {
            tiny_model({}, testing::make_test_backend(options));
            FAIL() << "loaded with " << options.forced[0];
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
            EXPECT_NE(std::string(error.what()).find(stage), std::string::npos) << error.what();
        }
    }
    testing::TestBackendOptions experts;
    experts.forced = {"experts/somewhere-else"};
    EXPECT_NO_THROW(tiny_model({}, testing::make_test_backend(experts)));  // a dense model has no such stage
    EXPECT_THROW(tiny_model({.experts = 2}, testing::make_test_backend(experts)), Error);
}

TEST(Model, CountsWhatAWorkspaceTakes) {
    const auto model = tiny_model();
    const int64_t small = Model::Workspace::activation_bytes(model->config(), 1, 1),
                  large = Model::Workspace::activation_bytes(model->config(), 64, 8);
    EXPECT_EQ(small, 4 * (32 + 32 + 32 + 48 + 64));  // x, q, attended, mlp, logits (61) on borders of 16
    EXPECT_EQ(large, 4 * (64 * (32 + 32 + 32 + 48) + 496));
    EXPECT_GE(Model::Workspace(*model, 64, 8).bytes(), large);
}

TEST(ModelDeathTest, RefusesAStepThatDoesNotFitItsWorkspace) {
    const auto model = tiny_model();
    const KvCache cache(model->config(), model->backend(), 1, DType::kBf16);
    Model::Workspace workspace(*model, 4, 1);
    Batch batch;
    batch.begin(1);
    batch.add(some_tokens(5, 61), 0, blocks_from(0, 1), 1);
    EXPECT_DEATH(model->forward(batch, cache, workspace), "max_tokens");
}

}  // namespace
}  // namespace hearth
