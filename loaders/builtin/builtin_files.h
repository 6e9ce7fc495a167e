// Ember's files, which are a part of this program: copied alone to another place, it still has a model to talk with.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace hearth {

struct BuiltinFile {
    std::string_view name;             // "config.json"
    std::span<const std::byte> bytes;  // constant, aligned to 64 bytes; lives as long as the program
};

/// The folder that these files seem to lie in. No file of a disk is ever looked for below it.
inline constexpr std::string_view kBuiltinFolder = "builtin:/ember";

/// What CMake found in tools/ember of the files that a model is loaded from. The definition is written by embed.cmake.
std::span<const BuiltinFile> builtin_files();

/// The file that `path` names, or null for every path that is not directly below kBuiltinFolder and for names that are not there.
const BuiltinFile* find_builtin_file(const std::filesystem::path& path);

}  // namespace hearth
