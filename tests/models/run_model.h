// Running a model step by step, without an engine.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/model.h"

namespace hearth::testing {

/// A backend that this machine has, or null. `threads`: 0 for all cores.
std::shared_ptr<const Backend> try_backend(const std::string& device, int threads = 0);

struct RunOptions {
    DType cache = DType::kF32;
    int64_t chunk = 1 << 20;  // tokens of the prompt in a step
    bool crowded = false;     // in every step stand two other sequences beside it
};

struct RunResult {
    std::vector<float> logits;               // [T, V]
    std::vector<std::vector<float>> hidden;  // [layers + 1] of [T, hidden], the last one after the final norm
};

RunResult run_prompt(const Model& model, std::span<const int32_t> ids, const RunOptions& options);

/// The `count` tokens that an engine gives after `ids` at temperature 0, with other requests running beside if `crowded`.
std::vector<int32_t> greedy_answer(std::shared_ptr<const Model> model, const std::vector<int32_t>& ids, int64_t count,
                                   const RunOptions& options);

/// rows of x [T, hidden] normed by the final norm.
std::vector<float> final_norm(const Model& model, const std::vector<float>& x);

int64_t argmax(std::span<const float> row);

/// Largest minus second largest.
float gap_of(std::span<const float> row);

float largest_of(std::span<const float> values);  // absolute

}  // namespace hearth::testing
