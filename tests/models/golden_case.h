// A tiny checkpoint and what transformers computed from it: see tests/golden/make_golden.py.
#pragma once

#include <cstdint>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace hearth::testing {

struct GoldenCase {
    std::string name;
    std::filesystem::path folder;
    std::vector<int32_t> ids;                // [T]
    std::vector<float> logits;               // [T, V]
    std::vector<std::vector<float>> hidden;  // [layers + 1] of [T, hidden]; the last one after the final norm
    std::vector<int32_t> greedy;             // [32]

    int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
    int64_t vocab() const { return static_cast<int64_t>(logits.size() / ids.size()); }
};

/// Names of the folders of golden_dir() that hold a plain checkpoint with its golden.
std::vector<std::string> plain_checkpoints();

/// Names of those whose config.json names a quantisation, with or without a golden.
std::vector<std::string> quantized_checkpoints();

/// "awq", as the checkpoint's config.json says.
std::string quantization_method(const std::string& name);

GoldenCase read_golden(const std::string& name);

}  // namespace hearth::testing
