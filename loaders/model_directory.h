// Which models this machine has, by name.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace hearth {

/// A folder with a config.json that a model could be loaded from; Ember's is kBuiltinFolder (loaders/builtin).
struct ModelEntry {
    std::string name;  // what a person types: the path below the directory, "org/model", or "ember"
    std::filesystem::path folder;
    int64_t file_bytes = 0;  // of its safetensors files
    bool builtin = false;
};

/// HEARTH_MODELS, else $XDG_DATA_HOME/hearth/models, else ~/.local/share/hearth/models. Need not exist.
std::filesystem::path model_directory();

/// Ember, then what lies in the directory up to two levels deep, by name. Hugging Face cache folders (models--org--name with
/// snapshots/ of links) count under "org/name".
std::vector<ModelEntry> list_models();

/// A folder for what the user named: a path that exists, a name in the directory, "" or "ember" for Ember.
/// Throws Error{kNotFound} listing what there is.
ModelEntry find_model(const std::string& name_or_path);

}  // namespace hearth
