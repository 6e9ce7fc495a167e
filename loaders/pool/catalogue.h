// Every name that a model can be asked for by, and what it means.
#pragma once

#include <string>
#include <vector>

#include "loaders/model_directory.h"
#include "loaders/pool/presets.h"

namespace hearth {

/// What one name means.
struct ModelSpec {
    std::string name;
    ModelEntry entry;
    LoadSettings load;
    Preset preset;      // with nothing but defaults where no preset has this name
    std::string error;  // not empty: why the name cannot be used
    std::string key;    // the folder with all links followed, and the settings: equal keys are one model in memory
};

/// The model to begin with, those of the model directory, and presets, which count before both where they have the same name. The
/// directory is looked at anew each time. Immutable; thread-safe.
class Catalogue {
public:
    struct Options {
        std::string first;       // what unnamed requests get to begin with: a preset, a folder, a name of the directory, "" for Ember
        LoadSettings load = {};  // of the first; without its draft, and with its context as the most, of all others that have no preset
        std::string chat_template = {};  // of the first alone
        Presets presets = {};
        bool keep_quantized = true;  // false: no preset's does either
    };

    /// Throws Error{kNotFound} when the first model is not there.
    explicit Catalogue(Options options);

    /// All of them, the hidden ones too. A preset whose model is not there has an error.
    std::vector<ModelSpec> all() const;

    /// Throws Error{kNotFound} listing the names that are not hidden.
    ModelSpec find(const std::string& name) const;

    const std::string& first() const { return first_name_; }

private:
    ModelSpec plain(ModelEntry entry) const;
    ModelSpec of_preset(const Preset& preset, const std::vector<ModelEntry>& entries) const;
    ModelSpec of_first(const ModelEntry& entry) const;

    const Options options_;
    std::string first_name_;
    std::vector<ModelSpec> first_;  // one, where the first is none of the presets
};

}  // namespace hearth
