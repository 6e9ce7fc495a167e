// Llama and everything that is published under its name. Biases by flag, never a window: the class knows none.
#include "loaders/families/families.h"

namespace hearth {
namespace {

void read(const ConfigFields& fields, ModelConfig& config) {
    config.qkv_bias = config.o_bias = fields.flag("attention_bias", false);
    config.mlp_bias = fields.flag("mlp_bias", false);
    config.windows.assign(static_cast<size_t>(config.layers), 0);
}

}  // namespace

extern const Family kLlama;
const Family kLlama{
    .model_type = "llama", .defaults = {.kv_heads = 0, .head_dim = 0, .context = 2048, .rms_eps = 1e-6, .rope_theta = 10000}, .read = read};

}  // namespace hearth
