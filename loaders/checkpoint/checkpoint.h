// A folder of safetensors files as one map from names to tensors.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/stream.h"
#include "loaders/checkpoint/safetensors.h"
#include "loaders/io/byte_buffer.h"

namespace hearth {

/// The weights of a folder, to be read tensor by tensor: those of model.safetensors, else those of the shards that
/// model.safetensors.index.json lists, and of the shards beside them that belong to the same set. Never what merely lies there:
/// repositories also hold consolidated*.safetensors with the same weights under other names. Where one name lies in several shards the
/// index decides. Thread-safe once open.
class Checkpoint {
public:
    struct Entry {
        const StoredTensor* tensor = nullptr;
        const SafetensorsFile* file = nullptr;

        /// Bytes [begin, begin + bytes) of the tensor into `out`. Throws Error{kIo}.
        void read(int64_t begin, int64_t bytes, std::byte* out) const { file->file().read(tensor->begin + begin, bytes, out); }

        /// The whole tensor, read by the stream's threads, or by this one where there is no stream. Throws Error{kIo}.
        void read(ByteBuffer& out, Stream* stream = nullptr) const;
    };

    /// Throws Error: a shard is missing, has a name that is a path, lacks a tensor that the index promises; two shards hold a tensor that
    /// the index does not list; there are no weights.
    static Checkpoint open(const std::filesystem::path& folder);

    const std::filesystem::path& folder() const { return folder_; }
    const Entry* find(std::string_view name) const;  // null: not here
    const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }
    const std::vector<std::unique_ptr<SafetensorsFile>>& files() const { return files_; }

private:
    void read_shards(const std::filesystem::path& index);
    void add_unlisted(const std::filesystem::path& index);

    std::filesystem::path folder_;
    std::vector<std::unique_ptr<SafetensorsFile>> files_;
    std::map<std::string, Entry, std::less<>> entries_;
};

/// Throws Error unless `folder` is a folder that can be read: kNotFound, kBadInput (a file), kIo (no permission).
void require_folder(const std::filesystem::path& folder);

/// Throws Error: `folder` lacks `missing`; says which other weights lie there.
/// kUnsupported where there are some of another format, else kNotFound.
[[noreturn]] void no_checkpoint(const std::filesystem::path& folder, std::string_view missing);

/// Files that belong to a checkpoint's small files: at most this long.
constexpr int64_t kMaxConfigBytes = 16'000'000;
constexpr int64_t kMaxIndexBytes = 100'000'000;

}  // namespace hearth
