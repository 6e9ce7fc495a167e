// Mixtral: Mistral with experts in place of the MLP; the chosen ones' probabilities sum to one.
#include "loaders/families/families.h"

namespace hearth {
namespace {

void read(const ConfigFields& fields, ModelConfig& config) {
    read_window(fields, 0, config);
    config.experts = fields.integer("num_local_experts", 1, 1024, 8);
    config.experts_per_token = fields.integer("num_experts_per_tok", 1, config.experts, 2);
    config.renormalize_experts = true;
}

}  // namespace

extern const Family kMixtral;
const Family kMixtral{.model_type = "mixtral",
                      .defaults = {.kv_heads = 8, .head_dim = 0, .context = 131072, .rms_eps = 1e-5, .rope_theta = 1e6},
                      .read = read,
                      .experts = {.router = "block_sparse_moe.gate.weight",
                                  .gate = "block_sparse_moe.experts.#.w1.weight",
                                  .up = "block_sparse_moe.experts.#.w3.weight",
                                  .down = "block_sparse_moe.experts.#.w2.weight"}};

}  // namespace hearth
