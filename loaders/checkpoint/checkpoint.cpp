#include "loaders/checkpoint/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/checked.h"
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

/// "model-00002-of-00007.safetensors" -> "model-of-00007": what all shards of one set have in common. "" for other names.
std::string set_of(std::string_view name) {
    constexpr std::string_view kEnd = ".safetensors", kOf = "-of-";
    if (!name.ends_with(kEnd)) return "";
    name.remove_suffix(kEnd.size());
    const size_t of = name.rfind(kOf), dash = of == std::string_view::npos ? of : name.rfind('-', of - 1);
    if (of == 0 || dash == std::string_view::npos) return "";
    const std::string_view number = name.substr(dash + 1, of - dash - 1), total = name.substr(of + kOf.size());
    const auto is_number = [](std::string_view text) {
        return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    };
    return is_number(number) && is_number(total) ? cat(name.substr(0, dash), kOf, total) : "";
}

/// Files of the sets that `listed` names come from, which the index leaves out altogether.
std::vector<std::string> unlisted_shards(const fs::path& folder, const std::set<std::string>& listed) {
    std::set<std::string> sets;
    for (const std::string& name : listed) sets.insert(set_of(name));
    sets.erase("");
    std::vector<std::string> out;
    for (const std::string& name : model_file_names(folder)) {
        if (!listed.contains(name) && is_plain_file_name(name) && sets.contains(set_of(name))) out.push_back(name);
    }
    return out;
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

void Checkpoint::Entry::read(ByteBuffer& out, Stream* stream) const {
    constexpr int64_t kPiece = int64_t{4} << 20;
    const int64_t bytes = tensor->bytes();
    out.reset(bytes);
    if (stream == nullptr || bytes <= kPiece) return read(0, bytes, out.data());
    stream->parallel_for(ceil_div(bytes, kPiece), [&](int64_t i) {
        const int64_t begin = i * kPiece;
        read(begin, std::min(kPiece, bytes - begin), out.data() + begin);
    });
}

void no_checkpoint(const fs::path& folder, std::string_view missing) {
    const bool indexed = model_file_exists(folder / kIndex);
    std::vector<std::string> others, shards;
    for (const std::string& name : model_file_names(folder)) {
        const std::string kind = fs::path(name).extension().string();
        const bool weights = kind == ".safetensors" || kind == ".bin" || kind == ".gguf" || kind == ".pt" || kind == ".pth";
        const bool shard = !indexed && !set_of(name).empty() && !name.starts_with("consolidated");
        if (weights) (shard ? shards : others).push_back(printable(name, 60));
    }
    const std::string expected =
        cat(folder.string(), ": no ", missing, "; expected a Hugging Face folder: config.json and safetensors files");
    if (!shards.empty()) {
        throw Error(ErrorKind::kNotFound, cat(expected, "; found ", shards.front(), " and so on, ", shards.size(),
                                              " shards in all, without the index that says which tensor is where; it belongs to the "
                                              "published folder, fetch it too"));
    }
    if (model_file_exists(folder / "adapter_config.json")) {
        throw Error(ErrorKind::kUnsupported,
                    cat(expected, "; this is an adapter (LoRA): adapters are not served yet, merge it into its base model first"));
    }
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
    std::set<std::string> names;
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
            names.insert(shard_name);
        }
        const auto tensor = shard.tensors.find(name);
        if (tensor == shard.tensors.end())
            throw Error(ErrorKind::kBadInput, cat(path.string(), ": has no tensor \"", printable(name), "\", but ", kIndex, " says so"));
        entries_.emplace(name, Entry{tensor->second, shard.file});
    }
    const std::vector<std::string> more = unlisted_shards(folder_, names);
    if (files_.size() + more.size() > kMaxShards)
        throw Error(ErrorKind::kTooLarge, cat(index.string(), ": more than ", kMaxShards, " files"));
    for (const std::string& name : more) files_.push_back(std::make_unique<SafetensorsFile>(SafetensorsFile::open(folder_ / name)));
    add_unlisted(index);
}

/// An index that was written by hand, or before a head was added, is silent about tensors that the model needs all the same.
void Checkpoint::add_unlisted(const fs::path& index) {
    std::unordered_set<std::string_view> added;
    for (const auto& file : files_) {
        for (const StoredTensor& tensor : file->tensors()) {
            const auto [entry, is_new] = entries_.try_emplace(tensor.name, Entry{&tensor, file.get()});
            if (is_new) {
                added.insert(tensor.name);
            } else if (added.contains(tensor.name)) {
                throw Error(ErrorKind::kBadInput, cat(file->file().name(), ": tensor \"", printable(tensor.name), "\" is in ",
                                                      entry->second.file->file().name(), " too; expected one of them in ", kIndex));
            }
            if (static_cast<int64_t>(entries_.size()) > kMaxTensors)
                throw Error(ErrorKind::kTooLarge, cat(index.string(), ": its files have more than ", kMaxTensors, " tensors"));
        }
    }
}

Checkpoint Checkpoint::open(const fs::path& folder) {
    require_folder(folder);
    Checkpoint out;
    out.folder_ = folder;
    if (model_file_exists(folder / kSingle)) {
        out.files_.push_back(std::make_unique<SafetensorsFile>(SafetensorsFile::open(folder / kSingle)));
        for (const StoredTensor& tensor : out.files_.back()->tensors())
            out.entries_.emplace(tensor.name, Entry{&tensor, out.files_.back().get()});
    } else if (model_file_exists(folder / kIndex)) {
        out.read_shards(folder / kIndex);
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
