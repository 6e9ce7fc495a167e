// config.json becomes a plain struct.
#pragma once

#include <filesystem>
#include <string>

#include "loaders/checkpoint/checkpoint_info.h"

namespace hearth {

/// Reads config.json alone (any path, so that a bare file can be benchmarked). Every number is bounded; an unknown model_type,
/// activation, rope type or quantisation is refused by name. tied_embeddings is as the file says. Token ids outside the vocabulary are left
/// aside with a notice.
CheckpointInfo read_config(const std::filesystem::path& config_json);

}  // namespace hearth
