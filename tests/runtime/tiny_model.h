// A small random model made of Weights in memory: tests of the runtime need no file.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/model.h"

namespace hearth::testing {

struct TinyOptions {
    int64_t layers = 2, hidden = 32, intermediate = 48, heads = 4, kv_heads = 2, head_dim = 8, vocab = 61;
    int64_t experts = 0, experts_per_token = 2;
    int64_t window = 0;
    int64_t max_context = 256;
    bool tied = false;
    int32_t poisoned_token = -1;  // its embedding is not a number
    uint64_t seed = 1;
};

ModelConfig tiny_config(const TinyOptions& options);

/// On the reference backend, or on the one given.
std::shared_ptr<const Model> tiny_model(const TinyOptions& options = {}, std::shared_ptr<const Backend> backend = nullptr);

}  // namespace hearth::testing
