// A file that says by which names models are asked for, and how each of them is loaded and answers.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "loaders/pool/load_settings.h"

namespace hearth {

/// How answers are drawn where the request does not say so; what is not set is the model's own.
struct PresetSampling {
    std::optional<float> temperature, top_p, min_p, repetition_penalty, frequency_penalty, presence_penalty;
    std::optional<int32_t> top_k;
};

/// One entry. What is not set is what the command line says for all models.
struct Preset {
    std::string alias;  // what requests call it
    std::string model;  // a name of the model directory, or a folder: absolute, or as seen from the file
    std::optional<int64_t> context = std::nullopt;
    std::optional<DType> cache_dtype = std::nullopt;
    std::optional<QuantizeOptions> quantize = std::nullopt;
    std::string draft = {};  // "": none
    PresetSampling sampling = {};
    std::string system_prompt = {};                                 // stands in front of a conversation that has no system message
    std::string chat_template = {};                                 // name of a built-in one; "": the model's
    std::optional<std::chrono::seconds> keep_alive = std::nullopt;  // idle time after which it leaves memory; nothing: never by itself
    bool load_at_start = false;
    bool hidden = false;  // in no list; it answers by its name
    bool keep_quantized = true;
    std::string error = {};  // not empty: the entry cannot be used, and this is why
};

/// Entries that cannot be used are among the others, with their error: they take their name, so that a request for it is told why.
struct Presets {
    std::filesystem::path folder;  // of the file: relative folders begin here
    std::vector<Preset> list;
};

constexpr int64_t kMaxPresetBytes = 4 << 20;  // of the file
constexpr size_t kMaxPresets = 1000;

/// Reads {"models": [{"model": "org/name", "alias": "fast", ...}]}. Every value is hostile until checked: a key that is not known, a wrong
/// type, a number out of its range or a name that was there before makes its entry unusable, with an error that names entry, key, what was
/// expected and what was found. `templates`: the names that "template" may have. Throws Error for a file that cannot be read as a whole.
Presets read_presets(const std::filesystem::path& file, const std::vector<std::string>& templates);

/// `defaults` with what the preset says.
LoadSettings settings_of(const Preset& preset, LoadSettings defaults);

}  // namespace hearth
