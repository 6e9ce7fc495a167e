// Which of the two counts where the tensors and config.json disagree about ties and biases.
#pragma once

#include "loaders/checkpoint/checkpoint.h"
#include "loaders/checkpoint/checkpoint_info.h"
#include "loaders/weights/weight_list.h"

namespace hearth {

/// What the tensors decide: corrects config.tied_embeddings and the bias flags of `info`, adds to its notices, and tells how names are
/// spelled. Throws Error{kBadInput} when neither embed_tokens nor lm_head is there, or one of them is missing and config.json denies a tie.
TensorNames settle_names(const Checkpoint& checkpoint, CheckpointInfo& info);

}  // namespace hearth
