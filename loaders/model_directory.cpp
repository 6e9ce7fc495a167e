#include "loaders/model_directory.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "base/text.h"
#include "loaders/builtin/builtin_files.h"
#include "loaders/io/model_files.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBuiltin = "ember";
constexpr const char* kCachePrefix = "models--";
constexpr size_t kMaxEntries = 10'000;  // of one folder

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// Folders in `folder` by name; nothing where it cannot be read.
std::vector<fs::path> folders_in(const fs::path& folder) {
    std::vector<fs::path> out;
    std::error_code failed;
    for (fs::directory_iterator it(folder, failed), end; !failed && it != end && out.size() < kMaxEntries; it.increment(failed)) {
        std::error_code ignored;
        if (it->is_directory(ignored) && it->path().filename().string().front() != '.') out.push_back(it->path());
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// Bytes of the weights that would be read; 0: nothing to load.
int64_t weight_bytes(const fs::path& folder) {
    int64_t bytes = 0;
    for (const std::string& name : model_file_names(folder)) {
        if (name.ends_with(".safetensors") && !name.starts_with("consolidated")) bytes += model_file_bytes(folder / name);
    }
    return bytes;
}

bool is_model(const fs::path& folder) {
    std::error_code ignored;
    return fs::is_regular_file(folder / "config.json", ignored);
}

/// "models--org--name" -> "org/name"; "" for other names.
std::string cached_name(const std::string& folder) {
    if (!folder.starts_with(kCachePrefix)) return "";
    std::string name = folder.substr(std::string_view(kCachePrefix).size());
    if (const size_t at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
    return name;
}

/// The snapshot of a Hugging Face cache folder: what refs/main names, else the last one by name. "" where there is none.
fs::path cached_snapshot(const fs::path& folder) {
    std::string revision;
    std::ifstream(folder / "refs" / "main") >> revision;
    const std::vector<fs::path> snapshots = folders_in(folder / "snapshots");
    for (const fs::path& snapshot : snapshots) {
        if (snapshot.filename() == revision && is_model(snapshot)) return snapshot;
    }
    const auto last = std::find_if(snapshots.rbegin(), snapshots.rend(), is_model);
    return last == snapshots.rend() ? fs::path() : *last;
}

void add(std::vector<ModelEntry>& models, std::string name, const fs::path& folder) {
    const int64_t bytes = weight_bytes(folder);
    if (bytes > 0) models.push_back({std::move(name), folder, bytes, false});
}

/// A cache folder or a plain one; false: neither.
bool add_if_model(std::vector<ModelEntry>& models, const std::string& below, const fs::path& folder) {
    const std::string cached = cached_name(folder.filename().string());
    if (!cached.empty()) {
        if (const fs::path snapshot = cached_snapshot(folder); !snapshot.empty()) add(models, cached, snapshot);
        return true;
    }
    if (!is_model(folder)) return false;
    add(models, below + folder.filename().string(), folder);
    return true;
}

ModelEntry builtin_entry() {
    const fs::path folder(kBuiltinFolder);
    return {kBuiltin, folder, weight_bytes(folder), true};
}

ModelEntry entry_of_path(const fs::path& path) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
        throw Error(ErrorKind::kBadInput,
                    cat(path.string(), ": a folder with config.json and safetensors files is expected, this is a file",
                        path.extension() == ".gguf" ? "; GGUF files are not read" : ""));
    }
    const fs::path snapshot = is_model(path) ? fs::path() : cached_snapshot(path);
    const fs::path folder = snapshot.empty() ? path : snapshot;
    const fs::path whole = fs::absolute(path, ignored).lexically_normal();  // so that "." has a name
    const fs::path bare = whole.has_filename() ? whole : whole.parent_path();
    const bool is_snapshot = bare.parent_path().filename() == "snapshots";
    const std::string last = (is_snapshot ? bare.parent_path().parent_path() : bare).filename().string();
    const std::string cached = cached_name(last);
    return {cached.empty() ? bare.filename().string() : cached, folder, weight_bytes(folder), false};
}

}  // namespace

fs::path model_directory() {
    if (const std::string set = variable("HEARTH_MODELS"); !set.empty()) return set;
    if (const std::string data = variable("XDG_DATA_HOME"); !data.empty()) return fs::path(data) / "hearth" / "models";
    return fs::path(variable("HOME")) / ".local" / "share" / "hearth" / "models";
}

std::vector<ModelEntry> list_models() {
    std::vector<ModelEntry> models;
    for (const fs::path& folder : folders_in(model_directory())) {
        if (add_if_model(models, "", folder)) continue;
        for (const fs::path& inner : folders_in(folder)) add_if_model(models, folder.filename().string() + "/", inner);
    }
    // The built-in model owns its name; of a plain folder and a cached one of equal name the first stays.
    std::erase_if(models, [](const ModelEntry& m) { return m.name == kBuiltin; });
    std::stable_sort(models.begin(), models.end(), [](const ModelEntry& a, const ModelEntry& b) { return a.name < b.name; });
    const auto same = [](const ModelEntry& a, const ModelEntry& b) { return a.name == b.name; };
    models.erase(std::unique(models.begin(), models.end(), same), models.end());
    models.insert(models.begin(), builtin_entry());
    return models;
}

ModelEntry find_model(const std::string& name_or_path) {
    if (name_or_path.empty() || name_or_path == kBuiltin) return builtin_entry();
    std::error_code ignored;
    if (fs::exists(name_or_path, ignored)) return entry_of_path(name_or_path);
    std::vector<std::string> names;
    for (const ModelEntry& model : list_models()) {
        if (model.name == name_or_path) return model;
        names.push_back(printable(model.name, 80));
    }
    throw Error(ErrorKind::kNotFound,
                cat("no model \"", printable(name_or_path, 200), "\": neither a folder nor a name in ", model_directory().string(),
                    names.empty() ? "; there are none" : cat("; there are: ", join(names, ", "))));
}

}  // namespace hearth
