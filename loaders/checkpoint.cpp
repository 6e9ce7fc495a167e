#include "loaders/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "loaders/builtin/builtin_files.h"
#include "loaders/io/json_file.h"
#include "loaders/io/model_files.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kSingle = "model.safetensors";
constexpr size_t kMaxShards = 4096;

bool is_plain_file_name(const std::string& name) {
    return !name.empty() && name.size() <= 255 && name.front() != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    });
}

/// tensor -> shard, as the index lists it.
std::vector<std::pair<std::string, std::string>> read_index(const fs::path& path) {
    const nlohmann::json index = read_json_object(path, kMaxIndexBytes);
    const auto map = index.find("weight_map");
    if (map == index.end() || !map->is_object())
        throw Error(ErrorKind::kBadInput, cat(path.string(), ": weight_map is not an object of tensor names and files"));
    if (static_cast<int64_t>(map->size()) > kMaxTensors)
        throw Error(ErrorKind::kTooLarge, cat(path.string(), ": ", map->size(), " tensors, at most ", kMaxTensors, " are read"));
    std::vector<std::pair<std::string, std::string>> out;
    out.reserve(map->size());
    for (const auto& [tensor, shard] : map->items()) {
        const bool is_text = shard.is_string();
        if (!is_text || !is_plain_file_name(shard.get_ref<const std::string&>())) {
            throw Error(ErrorKind::kBadInput, cat(path.string(), ": tensor \"", printable(tensor), "\" is in ",
                                                  printable(shard.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), 80),
                                                  ", expected the plain name of a file beside the index"));
        }
        out.emplace_back(tensor, shard.get<std::string>());
    }
    return out;
}

}  // namespace

void no_checkpoint(const fs::path& folder, std::string_view missing) {
    std::vector<std::string> others;
    for (const fs::path name : model_file_names(folder)) {
        const std::string kind = name.extension().string();
        const bool weights = kind == ".safetensors" || kind == ".bin" || kind == ".gguf" || kind == ".pt" || kind == ".pth";
        if (weights) others.push_back(printable(name.string(), 60));
    }
    const std::string expected =
        cat(folder.string(), ": no ", missing, "; expected a Hugging Face folder: config.json and safetensors files");
    if (others.empty()) throw Error(ErrorKind::kNotFound, cat(expected, "; the folder has no weights"));
    if (others.size() > 4) others.resize(4);
    throw Error(ErrorKind::kUnsupported, cat(expected, "; found ", join(others, ", "), "; original, PyTorch and GGUF files are not read"));
}

void require_folder(const fs::path& folder) {
    if (folder == kBuiltinFolder) return;
    std::error_code failed;
    const fs::file_status status = fs::status(folder, failed);
    if (!fs::exists(status))
        throw Error(failed == std::errc::permission_denied ? ErrorKind::kIo : ErrorKind::kNotFound,
                    cat(folder.string(), ": ", failed ? failed.message() : "no such folder"));
    if (!fs::is_directory(status))
        throw Error(ErrorKind::kBadInput,
                    cat(folder.string(), ": a folder with config.json and safetensors files is expected, this is a file"));
    fs::directory_iterator it(folder, failed);
    if (failed) throw Error(ErrorKind::kIo, cat(folder.string(), ": cannot be read: ", failed.message()));
}

void Checkpoint::read_shards(const fs::path& index) {
    struct Shard {
        const SafetensorsFile* file = nullptr;
        std::unordered_map<std::string_view, const StoredTensor*> tensors;
    };
    std::unordered_map<std::string, Shard> shards;
    for (const auto& [name, shard_name] : read_index(index)) {
        const fs::path path = folder_ / shard_name;
        auto [found, is_new] = shards.try_emplace(shard_name);
        Shard& shard = found->second;
        if (is_new) {
            if (shards.size() > kMaxShards) throw Error(ErrorKind::kTooLarge, cat(index.string(), ": more than ", kMaxShards, " files"));
            if (!model_file_exists(path)) throw Error(ErrorKind::kNotFound, cat(path.string(), ": missing, but ", kIndex, " lists it"));
            files_.push_back(std::make_unique<SafetensorsFile>(SafetensorsFile::open(path)));
            shard.file = files_.back().get();
            for (const StoredTensor& tensor : shard.file->tensors()) shard.tensors.emplace(tensor.name, &tensor);
        }
        const auto tensor = shard.tensors.find(name);
        if (tensor == shard.tensors.end())
            throw Error(ErrorKind::kBadInput, cat(path.string(), ": has no tensor \"", printable(name), "\", but ", kIndex, " says so"));
        entries_.emplace(name, Entry{tensor->second, shard.file});
    }
}

Checkpoint Checkpoint::open(const fs::path& folder) {
    require_folder(folder);
    Checkpoint out;
    out.folder_ = folder;
    if (model_file_exists(folder / kIndex)) {
        out.read_shards(folder / kIndex);
    } else if (model_file_exists(folder / kSingle)) {
        out.files_.push_back(std::make_unique<SafetensorsFile>(SafetensorsFile::open(folder / kSingle)));
        for (const StoredTensor& tensor : out.files_.back()->tensors())
            out.entries_.emplace(tensor.name, Entry{&tensor, out.files_.back().get()});
    } else {
        no_checkpoint(folder, cat(kIndex, " and no ", kSingle));
    }
    return out;
}

const Checkpoint::Entry* Checkpoint::find(std::string_view name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace hearth
