// What a model is, in numbers: everything that its stages need to know, nothing about files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hearth {

/// Rotary embedding: base frequencies and how they are stretched to longer contexts.
/// Linear: Chen et al. 2023; YaRN: Peng et al. 2023; llama3: the rule of Meta's Llama 3.1 reference code.
struct RopeConfig {
    enum class Kind : uint8_t { kDefault, kLinear, kLlama3, kYarn };
    Kind kind = Kind::kDefault;
    double theta = 10000;
    double factor = 1;
    double low_freq_factor = 1, high_freq_factor = 4;  // llama3
    double original_context = 0;                       // llama3, yarn
    double beta_fast = 32, beta_slow = 1;              // yarn
    bool truncate = true;                              // yarn: correction range rounded to whole dimensions
    double attention_factor = 1;                       // yarn: cos and sin are multiplied by it (the loader works it out from
                                                       // attention_factor, mscale and mscale_all_dim)
};

/// A decoder of the Llama kind.
struct ModelConfig {
    std::string family;  // "llama", "mistral", "mixtral", "qwen2", "qwen3"
    int64_t layers = 0, hidden = 0, intermediate = 0;
    int64_t heads = 0, kv_heads = 0, head_dim = 0;
    int64_t vocab = 0;
    int64_t context = 0;  // the longest sequence that the model was made for, stretched as `rope` says; used unless another is asked for
    int64_t stated_context = 0;  // as the checkpoint's max_position_embeddings has it, before or after stretching; for people
    float rms_eps = 1e-5f;
    bool qkv_bias = false, o_bias = false, mlp_bias = false;
    bool qk_norm = false;                        // RMS norm of each q and k head
    bool tied_embeddings = false;                // as found in the tensors
    std::vector<int64_t> windows;                // [layers]: keys that a query sees, itself included; 0: all
    int64_t experts = 0, experts_per_token = 0;  // 0: a dense model
    bool renormalize_experts = true;
    RopeConfig rope;
    std::string stored_dtype;  // "bf16", as the checkpoint says; for people

    int64_t qkv_rows() const { return (heads + 2 * kv_heads) * head_dim; }

    /// The longest context that may be asked for. Files with linear stretching say in `context` what was before it or what is after it, and
    /// nothing tells which: the stretched one is taken on request alone.
    int64_t longest_context() const {
        if (rope.kind != RopeConfig::Kind::kLinear || rope.factor <= 1) return context;
        return static_cast<int64_t>(static_cast<double>(context) * rope.factor);
    }
};

}  // namespace hearth
