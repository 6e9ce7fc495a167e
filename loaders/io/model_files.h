// Files of a model's folder, which lies on a disk or in this program (loaders/builtin).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace hearth {

/// Whether there is something of that name (links are followed). What cannot be looked at counts as absent.
bool model_file_exists(const std::filesystem::path& path);

/// Whether `path` is a folder.
bool model_folder_exists(const std::filesystem::path& path);

/// Names of the plain files directly in `folder` (links are followed), sorted; none where it cannot be read.
std::vector<std::string> model_file_names(const std::filesystem::path& folder);

/// Size of a plain file (of what a link points to); 0 where there is none.
int64_t model_file_bytes(const std::filesystem::path& path);

}  // namespace hearth
