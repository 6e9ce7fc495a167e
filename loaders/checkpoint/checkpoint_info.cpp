#include "loaders/checkpoint/checkpoint_info.h"

#include "base/error.h"
#include "base/text.h"
#include "loaders/checkpoint/check_tensors.h"
#include "loaders/checkpoint/settle_names.h"
#include "loaders/config/config.h"
#include "loaders/config/generation_config.h"
#include "loaders/io/model_files.h"
#include "loaders/schemes/scheme_beside.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

/// A weight of a layer that goes unused belongs to another architecture than config.json names, or to layers that it does not count.
void note_unused_layers(const Checkpoint& checkpoint, const TensorUse& use, CheckpointInfo& info) {
    int64_t count = 0;
    std::string first;
    for (const auto& [name, entry] : checkpoint.entries()) {
        if (use.names.contains(name) || name.find("layers.") == std::string::npos) continue;
        if (!name.ends_with(".weight") && !name.ends_with(".bias")) continue;  // scales of activations, tables of rotations
        if (count++ == 0) first = printable(name, 80);
    }
    if (count == 0) return;
    info.notices.push_back(cat(count, count == 1 ? " weight of the layers is" : " weights of the layers are", " not used by a ",
                               info.config.family, " model of ", info.config.layers, info.config.layers == 1 ? " layer" : " layers",
                               count == 1 ? ": " : ", such as ", first));
}

CheckpointInfo read_small_files(const fs::path& folder) {
    require_folder(folder);
    if (!model_file_exists(folder / "config.json")) no_checkpoint(folder, "config.json");
    CheckpointInfo info = read_config(folder / "config.json");
    info.folder = folder;
    const fs::path generation = folder / "generation_config.json";
    try {
        if (model_file_exists(generation)) read_generation_config(generation, info);
    } catch (const Error& error) {  // recommendations alone: the model is the same without them
        info.notices.push_back(cat(error.what(), "; left aside"));
    }
    return info;
}

}  // namespace

CheckpointInfo inspect_checkpoint(const fs::path& folder) {
    CheckpointInfo info = read_small_files(folder);
    info.checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(folder));
    const Checkpoint& checkpoint = *info.checkpoint;
    if (!info.scheme) find_scheme_beside(checkpoint, info);
    const TensorNames names = settle_names(checkpoint, info);
    const TensorUse use = check_tensors(checkpoint, info.scheme.get(), info.config, names);
    info.parameters = use.parameters;
    info.file_bytes = use.bytes;
    info.ignored_tensors = static_cast<int64_t>(checkpoint.entries().size() - use.names.size());
    note_unused_layers(checkpoint, use, info);
    const Checkpoint::Entry* typical = checkpoint.find(names.embed);
    if (!typical) typical = checkpoint.find(names.prefix + "norm.weight");  // of a quantised table
    info.config.stored_dtype = name_of(*typical->tensor->type->dtype);
    return info;
}

std::vector<TensorInfo> list_tensors(const CheckpointInfo& info) {
    HEARTH_CHECK(info.checkpoint);
    CheckpointInfo settled = info;
    const TensorNames names = settle_names(*info.checkpoint, settled);
    const TensorUse use = check_tensors(*info.checkpoint, info.scheme.get(), settled.config, names);
    std::vector<TensorInfo> out;
    for (const auto& [name, entry] : info.checkpoint->entries()) {
        out.push_back({.name = name,
                       .file = fs::path(entry.file->file().name()).filename().string(),
                       .dtype = std::string(entry.tensor->type->name),
                       .shape = entry.tensor->shape,
                       .used = use.names.contains(name)});
    }
    return out;
}

}  // namespace hearth
