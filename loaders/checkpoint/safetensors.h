// The safetensors format: 8 bytes of header length, a JSON header, the bytes of the tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/dtype.h"
#include "loaders/io/input_file.h"

namespace hearth {

constexpr int64_t kMaxHeaderBytes = 100'000'000;
constexpr int64_t kMaxTensors = 200'000;
constexpr int64_t kMaxRank = 8;
constexpr int64_t kMaxNameBytes = 512;

/// A dtype as the format spells it.
struct StoredType {
    std::string_view name;       // "BF16"
    int64_t bits = 0;            // of one element
    std::optional<DType> dtype;  // ours, where kernels know it
};

/// One tensor of a file.
struct StoredTensor {
    std::string name;
    const StoredType* type = nullptr;  // of a const table
    std::vector<int64_t> shape;
    int64_t begin = 0, end = 0;  // bytes in the file, header included

    int64_t bytes() const { return end - begin; }
    int64_t numel() const { return bytes() * 8 / type->bits; }
};

/// Reads a header. `data_begin`: where the tensors' bytes begin in the file; `data_bytes`: how many there are. In order of begin.
/// Throws Error naming `file`, the tensor and the numbers, unless: it is strict JSON without duplicate keys, every dtype is known, sizes
/// fit shapes, and the tensors cover the bytes without overlap or hole.
std::vector<StoredTensor> parse_safetensors_header(std::string_view header, int64_t data_begin, int64_t data_bytes,
                                                   const std::string& file);

/// A file whose header was read and checked. Thread-safe once open.
class SafetensorsFile {
public:
    /// Throws Error as InputFile::open and parse_safetensors_header do.
    static SafetensorsFile open(const std::filesystem::path& path);

    const InputFile& file() const { return file_; }
    const std::vector<StoredTensor>& tensors() const { return tensors_; }
    const StoredTensor* find(std::string_view name) const;  // null: not here

private:
    SafetensorsFile(InputFile file, std::vector<StoredTensor> tensors) : file_(std::move(file)), tensors_(std::move(tensors)) {}

    InputFile file_;
    std::vector<StoredTensor> tensors_;
};

}  // namespace hearth
