// Folders and safetensors files that tests make up.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "tests/support/shared.h"
#include "tests/support/temp_folder.h"

namespace hearth::testing {

void write_file(const std::filesystem::path& path, const std::string& bytes);
/// Overwrites one byte in place.
void poke(const std::filesystem::path& path, size_t offset, char byte);
std::string read_file(const std::filesystem::path& path);
nlohmann::json read_json(const std::filesystem::path& path);

/// A header and its length in front of `data`.
std::string safetensors(const std::string& header, const std::string& data);

struct MadeTensor {
    std::string name, dtype;
    std::vector<int64_t> shape;
    std::string bytes;
};

/// A well-formed file of these tensors, one after the other.
std::string safetensors(const std::vector<MadeTensor>& tensors);

/// The goldens that belong to the project, whatever HEARTH_GOLDEN says: tests that change one of them know it by name.
std::filesystem::path own_goldens();

/// A copy of the small files and weights of own_goldens()/`name` into `to`, without its goldens.
void copy_golden(const std::string& name, const std::filesystem::path& to);

/// Sets fields of the folder's config.json.
void change_config(const TempFolder& folder, const nlohmann::json& more);

/// The folders in `goldens` with a config.json, by path: those with quantization_config, or those without.
std::vector<std::filesystem::path> golden_folders(const std::filesystem::path& goldens, bool quantised);

}  // namespace hearth::testing

/// `act` throws an Error of this kind whose message contains `part`. (No lambda: clang 14 does not capture structured bindings.)
#define EXPECT_REFUSED(act, expected_kind, part)                                          \
    do {                                                                                  \
        try {                                                                             \
            act;                                                                          \
            ADD_FAILURE() << #act << " threw nothing, expected: " << (part);              \
        } catch (const ::hearth::Error& refused_) {                                       \
            EXPECT_EQ(refused_.kind(), expected_kind) << refused_.what();                 \
            EXPECT_NE(std::string(refused_.what()).find(part), std::string::npos)         \
                << "\"" << refused_.what() << "\" does not contain \"" << (part) << "\""; \
        }                                                                                 \
    } while (false)
