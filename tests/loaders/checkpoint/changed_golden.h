// Golden folders, changed: what a hostile or merely strange checkpoint may hold.
#pragma once

#include <functional>

#include "kernels/weights/quant.h"
#include "loaders/load_model.h"
#include "tests/loaders/checkpoint/files.h"

namespace hearth::testing {

/// A safetensors file taken apart, to be put together differently: also into one that is wrong.
struct Parts {
    nlohmann::json header;
    std::string data;

    explicit Parts(const std::filesystem::path& file);
    std::string whole() const { return safetensors(header.dump(), data); }

    /// The same bytes under another name.
    void rename(const std::string& from, const std::string& to);

    /// A new tensor at the end of the data.
    void add(const std::string& name, const std::string& dtype, const nlohmann::json& shape, size_t bytes);
};

/// A copy of a golden of one file into `folder`, whose header `change` edits.
void write_changed(const TempFolder& folder, const std::string& golden, const std::function<void(Parts&)>& change);

/// A golden in two shards whose index lists what `listed` says.
void write_two_shards(const TempFolder& folder, const std::string& golden, const std::function<bool(const std::string&)>& in_second,
                      const std::function<bool(const std::string&)>& listed);

/// The tensors of a file, to be changed and written back.
class Tensors {
public:
    explicit Tensors(const std::filesystem::path& file);

    MadeTensor& at(const std::string& name);
    void erase(const std::string& name);
    void write(const std::filesystem::path& file) const { write_file(file, safetensors(tensors_)); }

    std::vector<MadeTensor>& all() { return tensors_; }

private:
    std::vector<MadeTensor> tensors_;
};

/// A copy of golden `name` with its tensors and its quantization_config changed.
class ChangedGolden {
public:
    using ChangeTensors = std::function<void(Tensors&)>;
    using ChangeConfig = std::function<void(nlohmann::json& section)>;
    explicit ChangedGolden(const std::string& name, const ChangeTensors& tensors, const ChangeConfig& config = {});

    const std::filesystem::path& path() const { return folder_.path(); }

private:
    TempFolder folder_;
};

std::shared_ptr<const Backend> reference_backend();

std::shared_ptr<const Model> load(const std::filesystem::path& folder, const QuantizeOptions& quantize = {});

/// A row as float32.
std::vector<float> row_of(const Weight& weight, int64_t row);

/// Every weight of a model, by name, with the bytes that kernels read.
struct PackedWeight {
    std::string name;
    WeightFormat format = WeightFormat::kF32;
    bool has_zeros = false;
    std::string bytes;
    bool operator==(const PackedWeight&) const = default;
};
std::vector<PackedWeight> packed_weights(const Model& model);

/// A word of 32 bits in a tensor's bytes.
int32_t word_at(const MadeTensor& tensor, size_t i);
void set_word(MadeTensor& tensor, size_t i, int32_t value);

}  // namespace hearth::testing
