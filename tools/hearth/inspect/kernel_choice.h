// Which variants would run a model, asked without loading it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/backend.h"
#include "loaders/weights/plan_weights.h"
#include "runtime/engine/engine.h"
#include "runtime/weights.h"

namespace hearth::tool {

/// The variant of one stage or primitive in a decode of one token and in a prefill; "none" where no variant supports it.
struct KernelChoice {
    std::string stage, weights;  // "project (down)", "bf16 panels"
    std::string decode, prefill;
};

/// Choices for a model, and the scratch that they take at most.
struct KernelChoices {
    std::vector<KernelChoice> choices;  // in the order in which they run; of the first layer; then the primitives below them
    int64_t scratch_bytes = 0;
};

/// Weights of all layers as `backend` would lay them out, over no memory: for questions to variants, never for running.
Weights planned_layers(const CheckpointInfo& info, const Backend& backend, const QuantizeOptions& quantize);

/// `engine`: how many tokens a prefill step has, at the end of which context the sequences stand, what the cache holds. Throws Error where
/// HEARTH_FORCE leaves a stage without a variant.
KernelChoices choose_kernels(ModelConfig config, const Weights& planned, const Backend& backend, const EngineOptions& engine);

/// All variants by name, each once: "embed/avx512, qkv/composite, ..., norm/avx512, ...".
std::string variants_text(const KernelChoices& choices);

}  // namespace hearth::tool
