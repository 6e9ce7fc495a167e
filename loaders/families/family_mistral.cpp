// Mistral: Llama with a sliding window on every layer, 4096 keys where config.json has no such field.
#include "loaders/families/families.h"

namespace hearth {
namespace {

void read(const ConfigFields& fields, ModelConfig& config) { read_window(fields, 4096, config); }

}  // namespace

extern const Family kMistral;
const Family kMistral{.model_type = "mistral",
                      .defaults = {.kv_heads = 8, .head_dim = 0, .context = 131072, .rms_eps = 1e-6, .rope_theta = 10000},
                      .read = read};

}  // namespace hearth
