// config.json and generation_config.json become plain structs.
#pragma once

#include <filesystem>
#include <string>

#include "loaders/checkpoint/checkpoint_info.h"

namespace hearth {

/// Reads config.json alone (any path, so that a bare file can be benchmarked). Every number is bounded; an unknown model_type,
/// activation, rope type or quantisation is refused by name. tied_embeddings is as the file says. Token ids outside the vocabulary are left
/// aside with a notice.
CheckpointInfo read_config(const std::filesystem::path& config_json);

/// Adds generation_config.json: sampling defaults, end tokens, the begin token where config.json has none. What cannot be used is left
/// aside with a notice. Throws Error for a file that cannot be read.
void read_generation_config(const std::filesystem::path& generation_config_json, CheckpointInfo& info);

}  // namespace hearth
