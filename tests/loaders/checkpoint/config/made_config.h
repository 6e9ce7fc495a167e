// config.json texts that tests make up and read.
#pragma once

#include <string>

#include "loaders/config/config.h"
#include "tests/loaders/checkpoint/files.h"

namespace hearth::testing {

/// A small config.json of a family, as short as it may be.
nlohmann::json minimal(const std::string& family = "llama");

/// `config` with the fields of `more` set.
nlohmann::json with(nlohmann::json config, const nlohmann::json& more);

/// read_config of a file with this text.
CheckpointInfo read_text(const std::string& text);
CheckpointInfo read(const nlohmann::json& config);

/// A minimal Llama with the fields of `more`, read.
ModelConfig llama(const nlohmann::json& more);

}  // namespace hearth::testing
