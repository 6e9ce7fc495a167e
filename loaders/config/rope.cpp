#include "loaders/config/rope.h"

#include <cmath>

namespace hearth {
namespace {

constexpr double kMaxTheta = 1e15, kMaxFactor = 1e6, kMaxContext = 1 << 30;
constexpr const char* kKinds = "default, linear, llama3, yarn";

/// A field of this name turns the rotation into another one than ours.
void refuse_strangers(const ConfigFields& fields) {
    for (const char* name : {"mrope_section", "llama_4_scaling_beta", "long_factor", "short_factor"}) {
        if (fields.has(name)) fields.unsupported(name, "no such field");
    }
    for (const char* name : {"full_attention", "sliding_attention"}) {
        if (fields.has(name)) fields.unsupported(name, "one kind of rotation for all layers");
    }
    if (fields.number("partial_rotary_factor", -kMaxTheta, kMaxTheta, 1) != 1) fields.unsupported("partial_rotary_factor", "1");
}

void read_llama3(const ConfigFields& fields, RopeConfig& rope) {
    rope.kind = RopeConfig::Kind::kLlama3;
    rope.factor = fields.number("factor", 1, kMaxFactor);
    rope.low_freq_factor = fields.number("low_freq_factor", 1e-3, kMaxFactor);
    rope.high_freq_factor = fields.number("high_freq_factor", 1e-3, kMaxFactor);
    rope.original_context = static_cast<double>(fields.integer("original_max_position_embeddings", 1, static_cast<int64_t>(kMaxContext)));
    if (rope.high_freq_factor <= rope.low_freq_factor) fields.refuse("high_freq_factor", "more than low_freq_factor");
}

/// YaRN: Peng et al. 2023. attention_factor as transformers works it out: given, else the quotient of the two mscales, else 0.1 ln(s) + 1.
void read_yarn(const ConfigFields& fields, int64_t context, RopeConfig& rope) {
    rope.kind = RopeConfig::Kind::kYarn;
    const int64_t original = fields.integer("original_max_position_embeddings", 1, static_cast<int64_t>(kMaxContext), context);
    rope.original_context = static_cast<double>(original);
    rope.factor = fields.number("factor", 1e-3, kMaxFactor, static_cast<double>(context) / rope.original_context);
    // Zero counts as not given, as it does there.
    const double fast = fields.number("beta_fast", 0, kMaxFactor, 0), slow = fields.number("beta_slow", 0, kMaxFactor, 0);
    if (fast > 0) rope.beta_fast = fast;
    if (slow > 0) rope.beta_slow = slow;
    if (rope.beta_fast < rope.beta_slow) fields.refuse("beta_fast", "no less than beta_slow");
    rope.truncate = fields.flag("truncate", true);
    const double mscale = fields.number("mscale", 0, kMaxFactor, 0), mscale_all_dim = fields.number("mscale_all_dim", 0, kMaxFactor, 0);
    const auto scale_of = [&](double m) { return rope.factor <= 1 ? 1.0 : 0.1 * m * std::log(rope.factor) + 1.0; };
    const double worked_out = mscale > 0 && mscale_all_dim > 0 ? scale_of(mscale) / scale_of(mscale_all_dim) : scale_of(1);
    rope.attention_factor = fields.number("attention_factor", 1e-3, kMaxFactor, worked_out);
}

}  // namespace

RopeConfig read_rope(const ConfigFields& config, int64_t context, double default_theta) {
    RopeConfig rope;
    rope.theta = config.number("rope_theta", 1, kMaxTheta, default_theta);
    if (config.number("partial_rotary_factor", -kMaxTheta, kMaxTheta, 1) != 1) config.unsupported("partial_rotary_factor", "1");
    const char* section = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
    if (!config.has(section)) return rope;
    if (!config.is_object(section)) config.refuse(section, "an object");
    const ConfigFields fields = config.object(section);

    const char* key = fields.has("rope_type") ? "rope_type" : "type";
    const std::string kind = fields.text(key, "default");
    if (kind != "default" && kind != "linear" && kind != "llama3" && kind != "yarn") fields.unsupported(key, kKinds);
    refuse_strangers(fields);
    rope.theta = fields.number("rope_theta", 1, kMaxTheta, rope.theta);
    if (kind == "linear") {
        rope.kind = RopeConfig::Kind::kLinear;
        rope.factor = fields.number("factor", 1e-3, kMaxFactor);
    } else if (kind == "llama3") {
        read_llama3(fields, rope);
    } else if (kind == "yarn") {
        read_yarn(fields, context, rope);
    }
    return rope;
}

}  // namespace hearth
