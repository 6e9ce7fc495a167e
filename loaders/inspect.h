// A checkpoint's files against what its config.json promises.
#pragma once

#include <string>
#include <unordered_set>

#include "loaders/checkpoint.h"
#include "loaders/load_model.h"
#include "loaders/schemes/scheme.h"
#include "loaders/weight_list.h"

namespace hearth {

/// What the tensors decide: corrects config.tied_embeddings and the bias flags of `info`, adds to its notices, and tells how names are
/// spelled. Throws Error{kBadInput} when neither embed_tokens nor lm_head is there, or one of them is missing and config.json denies a tie.
TensorNames settle_names(const Checkpoint& checkpoint, CheckpointInfo& info);

/// For a config.json that is silent: reads quantize_config.json (GPTQ), quant_config.json (AWQ), compression_config.json or
/// hf_quant_config.json beside it into info.scheme. Where all weights are plain such a file is of another model and becomes a notice.
/// Throws Error naming the file where the weights need it and it is not supported.
void find_scheme_beside(const Checkpoint& checkpoint, CheckpointInfo& info);

/// Names, numbers and bytes of what a model reads.
struct TensorUse {
    std::unordered_set<std::string> names;
    int64_t parameters = 0, bytes = 0;
};

/// Throws Error naming the first missing or misshapen tensors, or a dtype that neither `scheme` (may be null) knows nor is BF16, F16 or
/// F32.
TensorUse check_tensors(const Checkpoint& checkpoint, const Scheme* scheme, const ModelConfig& config, const TensorNames& names);

}  // namespace hearth
