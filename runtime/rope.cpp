#include "runtime/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hearth {
namespace {

// theta^(2i / head_dim) of pair i. The exponent is rounded to float32 first and the power after it, as transformers has them.
float base_period(const RopeConfig& rope, int64_t pair, int64_t head_dim) {
    const float exponent = static_cast<float>(2 * pair) / static_cast<float>(head_dim);
    return static_cast<float>(std::pow(static_cast<double>(static_cast<float>(rope.theta)), static_cast<double>(exponent)));
}

// Long waves are stretched by the factor, short ones kept, those between blended.
float llama3_frequency(const RopeConfig& rope, float frequency) {
    const auto low_wave = static_cast<float>(rope.original_context / rope.low_freq_factor);
    const auto high_wave = static_cast<float>(rope.original_context / rope.high_freq_factor);
    const auto factor = static_cast<float>(rope.factor);
    const float wave = static_cast<float>(2 * std::numbers::pi) / frequency;
    if (wave > low_wave) return frequency / factor;
    if (wave < high_wave) return frequency;
    const auto low = static_cast<float>(rope.low_freq_factor), span = static_cast<float>(rope.high_freq_factor - rope.low_freq_factor);
    const float smooth = (static_cast<float>(rope.original_context) / wave - low) / span;
    return (1 - smooth) * frequency / factor + smooth * frequency;
}

// The pair that turns `rotations` times within the original context: a real number.
double yarn_pair(const RopeConfig& rope, double rotations, int64_t head_dim) {
    return static_cast<double>(head_dim) * std::log(rope.original_context / (rotations * 2 * std::numbers::pi)) /
           (2 * std::log(rope.theta));
}

// 0 for pairs that turn often and keep their frequency, 1 for those that are interpolated, a ramp between.
struct YarnRamp {
    float first, span;

    YarnRamp(const RopeConfig& rope, int64_t head_dim) {
        double low = yarn_pair(rope, rope.beta_fast, head_dim), high = yarn_pair(rope, rope.beta_slow, head_dim);
        if (rope.truncate) low = std::floor(low), high = std::ceil(high);
        low = std::max(low, 0.0);
        high = std::min(high, static_cast<double>(head_dim - 1));
        if (low == high) high += 0.001;  // no division by zero
        first = static_cast<float>(low);
        span = static_cast<float>(high - low);
    }
    float operator()(int64_t pair) const { return std::clamp((static_cast<float>(pair) - first) / span, 0.0f, 1.0f); }
};

float yarn_frequency(const RopeConfig& rope, float period, float ramp) {
    const float kept = 1 / period, stretched = 1 / (static_cast<float>(rope.factor) * period);
    const float share = 1 - ramp;  // of `kept`; 1 - share is not always ramp again
    return stretched * (1 - share) + kept * share;
}

}  // namespace

std::vector<float> rope_frequencies(const RopeConfig& rope, int64_t head_dim) {
    std::vector<float> out(static_cast<size_t>(head_dim / 2));
    for (int64_t pair = 0; pair < head_dim / 2; ++pair) {
        const float period = base_period(rope, pair, head_dim);
        float& frequency = out[static_cast<size_t>(pair)];
        frequency = 1 / period;
        switch (rope.kind) {
            case RopeConfig::Kind::kDefault: break;
            case RopeConfig::Kind::kLinear: frequency /= static_cast<float>(rope.factor); break;
            case RopeConfig::Kind::kLlama3: frequency = llama3_frequency(rope, frequency); break;
            case RopeConfig::Kind::kYarn: frequency = yarn_frequency(rope, period, YarnRamp(rope, head_dim)(pair)); break;
        }
    }
    return out;
}

std::vector<float> rope_table(const RopeConfig& rope, int64_t head_dim, int64_t positions) {
    const std::vector<float> frequencies = rope_frequencies(rope, head_dim);
    const auto scale = static_cast<float>(rope.kind == RopeConfig::Kind::kYarn ? rope.attention_factor : 1);
    std::vector<float> table(static_cast<size_t>(positions * head_dim));
    const int64_t half = head_dim / 2;
    for (int64_t p = 0; p < positions; ++p) {
        float* row = table.data() + p * head_dim;
        for (int64_t i = 0; i < half; ++i) {
            const float angle = static_cast<float>(p) * frequencies[static_cast<size_t>(i)];
            row[i] = std::cos(angle) * scale;
            row[half + i] = std::sin(angle) * scale;
        }
    }
    return table;
}

}  // namespace hearth
