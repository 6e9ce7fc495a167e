#include "loaders/pool/catalogue.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

std::string key_of(const ModelEntry& entry, const LoadSettings& load) {
    std::error_code failed;
    const fs::path folder = entry.builtin ? entry.folder : fs::weakly_canonical(entry.folder, failed);
    return cat(failed ? entry.folder.string() : folder.string(), '\n', settings_key(load));
}

ModelSpec made(std::string name, ModelEntry entry, const LoadSettings& load, Preset preset) {
    ModelSpec out{.name = std::move(name), .entry = std::move(entry), .load = load, .preset = std::move(preset), .error = {}, .key = {}};
    out.error = out.preset.error;
    out.key = key_of(out.entry, out.load);
    return out;
}

/// A directory that cannot be read hides its models, not the one that is already here.
std::vector<ModelEntry> entries_of_directory() {
    try {
        return list_models();
    } catch (const Error&) {
        return {};
    }
}

bool same_folder(const ModelEntry& a, const ModelEntry& b) {
    std::error_code ignored;
    return a.folder == b.folder || fs::equivalent(a.folder, b.folder, ignored);
}

/// What a preset's "model" names.
ModelEntry entry_of(const Preset& preset, const fs::path& folder, const std::vector<ModelEntry>& entries) {
    const auto named = std::ranges::find(entries, preset.model, &ModelEntry::name);
    if (named != entries.end()) return *named;
    std::error_code ignored;
    const fs::path path = folder / preset.model;
    if (fs::is_directory(path, ignored)) return find_model(path.string());
    throw Error(ErrorKind::kNotFound,
                cat("model: expected a name in ", model_directory().string(), " or a folder, found \"", printable(preset.model), '"'));
}

}  // namespace

Catalogue::Catalogue(Options options) : options_(std::move(options)) {
    const auto& presets = options_.presets.list;
    if (std::ranges::find(presets, options_.first, &Preset::alias) != presets.end()) {
        first_name_ = options_.first;
        return;
    }
    ModelEntry entry = find_model(options_.first);
    const auto all = entries_of_directory();
    const auto same = [&](const ModelEntry& other) { return same_folder(entry, other); };
    const bool has_name = std::ranges::any_of(all, [&](const ModelEntry& other) { return other.name == entry.name && same(other); });
    const auto named = std::ranges::find_if(all, same);
    if (!has_name && named != all.end()) entry = *named;  // a path to a folder that the directory has too
    first_name_ = entry.name;
    if (std::ranges::find(presets, first_name_, &Preset::alias) == presets.end()) first_.push_back(of_first(entry));
}

ModelSpec Catalogue::of_first(const ModelEntry& entry) const {
    Preset preset{.alias = entry.name, .model = entry.name};
    preset.chat_template = options_.chat_template;
    preset.keep_quantized = options_.keep_quantized;
    return made(entry.name, entry, options_.load, std::move(preset));
}

ModelSpec Catalogue::plain(ModelEntry entry) const {
    Preset preset{.alias = entry.name, .model = entry.name};
    preset.keep_quantized = options_.keep_quantized;
    std::string name = entry.name;
    LoadSettings load = options_.load;
    load.context_at_most = true;
    load.draft.clear();
    return made(std::move(name), std::move(entry), load, std::move(preset));
}

ModelSpec Catalogue::of_preset(const Preset& preset, const std::vector<ModelEntry>& entries) const {
    LoadSettings defaults = options_.load;
    defaults.context_at_most = true;
    Preset own = preset;
    own.keep_quantized &= options_.keep_quantized;
    ModelEntry entry{.name = preset.alias, .folder = {}, .file_bytes = 0, .builtin = false};
    if (own.error.empty()) {
        try {
            entry = entry_of(preset, options_.presets.folder, entries);
        } catch (const Error& e) {
            own.error = cat("preset \"", preset.alias, "\": ", e.what());
        }
    }
    LoadSettings load = settings_of(preset, defaults);
    if (preset.alias == first_name_) {  // the command line speaks of it
        if (load.draft.empty()) load.draft = options_.load.draft;
        if (!preset.context) load.context_at_most = options_.load.context_at_most;
        if (own.chat_template.empty()) own.chat_template = options_.chat_template;
    }
    return made(preset.alias, std::move(entry), load, std::move(own));
}

std::vector<ModelSpec> Catalogue::all() const {
    std::vector<ModelSpec> out;
    const auto known = [&](const std::string& name) { return std::ranges::find(out, name, &ModelSpec::name) != out.end(); };
    const auto entries = entries_of_directory();
    std::vector<ModelSpec> presets;
    for (const Preset& preset : options_.presets.list) presets.push_back(of_preset(preset, entries));
    for (const ModelEntry& entry : entries) {
        const auto preset = std::ranges::find(presets, entry.name, &ModelSpec::name);
        const bool is_first = !first_.empty() && entry.name == first_name_;
        out.push_back(preset != presets.end() ? *preset : is_first ? first_.front() : plain(entry));
    }
    if (!first_.empty() && !known(first_name_)) out.insert(out.begin(), first_.front());
    for (ModelSpec& preset : presets) {
        if (!known(preset.name)) out.push_back(std::move(preset));
    }
    return out;
}

ModelSpec Catalogue::find(const std::string& name) const {
    std::vector<std::string> names;
    for (ModelSpec& spec : all()) {
        if (spec.name == name) return std::move(spec);
        if (!spec.preset.hidden) names.push_back(printable(spec.name));
    }
    throw Error(ErrorKind::kNotFound, cat("there is no model \"", printable(name), "\"; there are: ", join(names, ", ")));
}

}  // namespace hearth
