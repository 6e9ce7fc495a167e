// Quantisation that is told in a file of its own, beside a config.json that says nothing of it.
#pragma once

#include "loaders/checkpoint/checkpoint.h"
#include "loaders/checkpoint/checkpoint_info.h"

namespace hearth {

/// For a config.json that is silent: reads quantize_config.json (GPTQ), quant_config.json (AWQ), compression_config.json or
/// hf_quant_config.json beside it into info.scheme. Where all weights are plain such a file is of another model and becomes a notice.
/// Throws Error naming the file where the weights need it and it is not supported.
void find_scheme_beside(const Checkpoint& checkpoint, CheckpointInfo& info);

}  // namespace hearth
