// Where the tokenizers of the tests come from.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "loaders/tokenizer/tokenizer.h"
#include "tests/support/shared.h"
#include "tests/support/temp_folder.h"

namespace hearth::testing {

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return std::move(out).str();
}

inline nlohmann::json read_json(const std::filesystem::path& path) { return nlohmann::json::parse(read_file(path)); }

/// The tokenizer at `path` below ../shared/data, a file or a folder; opened once.
inline const Tokenizer& shared_tokenizer(const std::string& path) {
    static std::map<std::string, std::shared_ptr<const Tokenizer>> opened;
    auto& tokenizer = opened[path];
    const std::filesystem::path full = shared_data() / path;
    if (!tokenizer) tokenizer = std::filesystem::is_directory(full) ? open_tokenizer(full) : open_tokenizer_file(full);
    return *tokenizer;
}

/// Ember's files in the source tree.
inline std::filesystem::path ember_files() { return std::filesystem::path(HEARTH_SOURCE_DIR) / "tools" / "ember"; }

}  // namespace hearth::testing
