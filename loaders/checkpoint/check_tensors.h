// A checkpoint's tensors against what its config.json promises.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>

#include "loaders/checkpoint/checkpoint.h"
#include "loaders/schemes/scheme.h"
#include "loaders/weights/weight_list.h"

namespace hearth {

/// Names, numbers and bytes of what a model reads.
struct TensorUse {
    std::unordered_set<std::string> names;
    int64_t parameters = 0, bytes = 0;
};

/// Throws Error naming the first missing or misshapen tensors, or a dtype
/// that neither `scheme` (may be null) knows nor is BF16, F16 or F32.
TensorUse check_tensors(const Checkpoint& checkpoint, const Scheme* scheme, const ModelConfig& config, const TensorNames& names);

}  // namespace hearth
