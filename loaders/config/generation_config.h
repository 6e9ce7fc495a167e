// generation_config.json: how the authors of a model recommend to draw its answers, and which tokens end them.
#pragma once

#include <filesystem>

#include "loaders/checkpoint/checkpoint_info.h"
#include "loaders/config/fields.h"

namespace hearth {

/// Adds generation_config.json to `info`: recommended sampling, end tokens, the begin token where config.json has none. What cannot be used
/// is left aside with a notice. Throws Error for a file that cannot be read.
void read_generation_config(const std::filesystem::path& generation_config_json, CheckpointInfo& info);

/// Adds eos_token_id and bos_token_id of either file to `info`; ids outside the vocabulary are left aside with a notice.
void read_token_ids(const ConfigFields& fields, CheckpointInfo& info);

}  // namespace hearth
