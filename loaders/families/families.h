// The kinds of models that can be read. A new one with known blocks: one loaders/families/family_x.cpp, two lines in families.cpp
// (declaration, row). Blocks are known where ModelConfig has a field for all that they do.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "loaders/config/fields.h"
#include "runtime/model_config.h"

namespace hearth {

/// What transformers' configuration class of a family assumes where config.json is silent.
struct FamilyDefaults {
    int64_t kv_heads = 0;  // 0: as many as heads
    int64_t head_dim = 0;  // 0: hidden / heads
    int64_t context = 2048;
    double rms_eps = 1e-6, rope_theta = 10000;
};

/// Names of a mixture's tensors below "model.layers.N."; "#" stands for the expert's number.
struct ExpertNames {
    std::string_view router, gate, up, down;
};

/// One value of config.json's model_type.
struct Family {
    std::string_view model_type;
    FamilyDefaults defaults;
    /// What only this family has: biases, windows, experts. The numbers that all have are in `config` already.
    void (*read)(const ConfigFields& fields, ModelConfig& config);
    ExpertNames experts = {};
    /// What layer_types may call a layer, beside full_attention. The reader above gives each its window.
    std::span<const std::string_view> layer_types = {};
};

std::span<const Family* const> families();

/// Null: not among them.
const Family* find_family(std::string_view model_type);

/// For readers: every layer sees `sliding_window` keys (absent: `fallback`; null or 0: all).
void read_window(const ConfigFields& fields, int64_t fallback, ModelConfig& config);

}  // namespace hearth
