// Qwen2: Llama with biases on q, k and v. Qwen3: no such biases, but norms on the q and k heads. Both may have a sliding window from layer
// max_window_layers on, or on the layers that layer_types names.
#include "loaders/families/families.h"

namespace hearth {
namespace {

constexpr int64_t kMaxLayers = 1 << 20;
constexpr std::string_view kSliding = "sliding_attention", kLayerTypes[] = {kSliding};

void read_layer_windows(const ConfigFields& fields, ModelConfig& config) {
    read_window(fields, 4096, config);
    const int64_t window = fields.flag("use_sliding_window", false) ? config.windows.front() : 0;
    const int64_t first = fields.integer("max_window_layers", 0, kMaxLayers, 28);
    const auto types = fields.texts("layer_types");  // checked by read_config
    for (int64_t i = 0; i < config.layers; ++i) {
        const bool sliding = types.empty() ? i >= first : types[static_cast<size_t>(i)] == kSliding;
        config.windows[static_cast<size_t>(i)] = sliding ? window : 0;
    }
}

void read_qwen2(const ConfigFields& fields, ModelConfig& config) {
    config.qkv_bias = true;
    read_layer_windows(fields, config);
}

void read_qwen3(const ConfigFields& fields, ModelConfig& config) {
    config.qkv_bias = config.o_bias = fields.flag("attention_bias", false);
    config.qk_norm = true;
    read_layer_windows(fields, config);
}

}  // namespace

extern const Family kQwen2, kQwen3;
const Family kQwen2{.model_type = "qwen2",
                    .defaults = {.kv_heads = 32, .head_dim = 0, .context = 32768, .rms_eps = 1e-6, .rope_theta = 10000},
                    .read = read_qwen2,
                    .layer_types = kLayerTypes};
const Family kQwen3{.model_type = "qwen3",
                    .defaults = {.kv_heads = 32, .head_dim = 128, .context = 32768, .rms_eps = 1e-6, .rope_theta = 10000},
                    .read = read_qwen3,
                    .layer_types = kLayerTypes};

}  // namespace hearth
