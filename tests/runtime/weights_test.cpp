#include "runtime/weights.h"

#include <gtest/gtest.h>

#include "tests/runtime/tiny_model.h"

namespace hearth {
namespace {

int64_t bytes_of_layers(const Weights& weights) {
    int64_t total = 0;
    for (const LayerWeights& l : weights.layers) {
        for (const auto* w : {&l.qkv, &l.out, &l.gate, &l.up, &l.down, &l.router}) total += w->weight.bytes;
        for (const auto* experts : {&l.expert_gate, &l.expert_up, &l.expert_down}) {
            for (const Weight& w : *experts) total += w.bytes;
        }
        total += 4 * (l.attention_norm.size + l.mlp_norm.size);
    }
    return total;
}

TEST(Weights, CountsEveryTensor) {
    for (const int64_t experts : {0, 3}) {
        const auto model = testing::tiny_model({.experts = experts});
        const Weights& w = model->weights();
        EXPECT_EQ(w.total_bytes(), w.embed.weight.bytes + w.head.weight.bytes + 4 * w.final_norm.size + bytes_of_layers(w))
            << experts << " experts";
    }
}

TEST(Weights, CountsSharedMemoryOnce) {
    const auto model = testing::tiny_model({.tied = true});
    const Weights& w = model->weights();
    ASSERT_EQ(w.embed.weight.data, w.head.weight.data);
    EXPECT_EQ(w.total_bytes(), w.head.weight.bytes + 4 * w.final_norm.size + bytes_of_layers(w));
}

}  // namespace
}  // namespace hearth
