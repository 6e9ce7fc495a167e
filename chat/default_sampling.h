// How answers are drawn where neither the request nor the command line says so.
#pragma once

#include "loaders/checkpoint/checkpoint_info.h"
#include "runtime/engine/sampler.h"

namespace hearth {

/// What is used of temperature, top_k, top_p and min_p where a checkpoint's generation_config.json recommends none of the four. At
/// temperature 1 over the whole vocabulary small models end in gibberish (SmolLM2-135M: 5 of 8 answers of 600 tokens, none with these).
/// llama.cpp has the same defaults.
struct FallbackSampling {
    static constexpr float kTemperature = 0.8f, kTopP = 0.95f, kMinP = 0.05f;
    static constexpr int32_t kTopK = 40;
};

/// Whether the checkpoint recommends one of temperature, top_k, top_p, min_p, or greedy answers.
bool recommends_sampling(const RecommendedSampling& recommended);

/// As the checkpoint recommends (what it leaves out is off), else FallbackSampling. A recommended repetition penalty always counts.
SampleParams default_sampling(const RecommendedSampling& recommended);

}  // namespace hearth
