// A safetensors file, tensor by tensor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

struct NewTensor {
    std::string name, dtype;  // as the format spells it: "BF16"
    std::vector<int64_t> shape;
    int64_t bytes = 0;
};

/// Owns the file. One thread. An unfinished file stays where it is: whoever made its folder removes it.
class TensorWriter {
public:
    /// Makes the file with its header. Throws Error: kNoResources when the disk has no room for all of it, kIo.
    TensorWriter(const std::filesystem::path& path, const std::vector<NewTensor>& tensors);
    ~TensorWriter();
    TensorWriter(const TensorWriter&) = delete;
    TensorWriter& operator=(const TensorWriter&) = delete;

    /// All bytes of tensor `index` of the list. Any order.
    void write(size_t index, const void* data, int64_t bytes);

    /// All tensors have been written: closes the file and hears of late failures.
    void finish();

private:
    void write_at(int64_t offset, const void* data, int64_t bytes);

    std::string name_;
    int fd_ = -1;
    std::vector<int64_t> begin_, bytes_;
};

/// A small file in one go. Throws Error{kIo, kNoResources}.
void write_whole(const std::filesystem::path& path, std::string_view text);

}  // namespace hearth
