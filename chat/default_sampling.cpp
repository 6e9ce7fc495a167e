#include "chat/default_sampling.h"

namespace hearth {

bool recommends_sampling(const RecommendedSampling& recommended) {
    return recommended.greedy || recommended.temperature || recommended.top_k || recommended.top_p || recommended.min_p;
}

SampleParams default_sampling(const RecommendedSampling& recommended) {
    SampleParams out;
    if (recommends_sampling(recommended)) {
        out.temperature = recommended.greedy ? 0 : recommended.temperature.value_or(out.temperature);
        out.top_k = recommended.top_k.value_or(out.top_k);
        out.top_p = recommended.top_p.value_or(out.top_p);
        out.min_p = recommended.min_p.value_or(out.min_p);
    } else {
        out.temperature = FallbackSampling::kTemperature;
        out.top_k = FallbackSampling::kTopK;
        out.top_p = FallbackSampling::kTopP;
        out.min_p = FallbackSampling::kMinP;
    }
    out.repetition_penalty = recommended.repetition_penalty.value_or(out.repetition_penalty);
    return out;
}

}  // namespace hearth
