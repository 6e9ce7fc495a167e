#include "tests/models/golden_case.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/shared.h"

namespace hearth::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json read_json(const fs::path& file) {
    std::ifstream in(file);
    return json::parse(in);
}

/// A reader of its own, so that a mistake in ours does not hide itself: the header, then one tensor by name.
class TensorFile {
public:
    explicit TensorFile(const fs::path& file) {
        std::ifstream in(file, std::ios::binary);
        bytes_.assign(std::istreambuf_iterator<char>(in), {});
        uint64_t header = 0;
        if (bytes_.size() < 8) throw std::runtime_error(file.string() + " is no safetensors file");
        std::memcpy(&header, bytes_.data(), 8);
        header_ = json::parse(bytes_.begin() + 8, bytes_.begin() + 8 + static_cast<std::ptrdiff_t>(header));
        data_ = bytes_.data() + 8 + header;
    }

    template <class T>
    std::vector<T> read(const std::string& name, const std::string& dtype) const {
        const json& tensor = header_.at(name);
        if (tensor.at("dtype") != dtype) throw std::runtime_error(name + " is not " + dtype);
        const size_t begin = tensor.at("data_offsets")[0], end = tensor.at("data_offsets")[1];
        std::vector<T> out((end - begin) / sizeof(T));
        std::memcpy(out.data(), data_ + begin, end - begin);
        return out;
    }
    std::vector<int64_t> shape(const std::string& name) const { return header_.at(name).at("shape"); }

private:
    std::vector<char> bytes_;
    json header_;
    const char* data_ = nullptr;
};

bool is_quantized(const fs::path& folder) { return read_json(folder / "config.json").contains("quantization_config"); }

template <class Wanted>
std::vector<std::string> folders_where(Wanted&& wanted) {
    std::vector<std::string> out;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(golden_dir(), error)) {
        if (fs::exists(entry.path() / "config.json") && wanted(entry.path())) out.push_back(entry.path().filename().string());
    }
    std::ranges::sort(out);
    return out;
}

std::vector<int32_t> narrow(const std::vector<int64_t>& wide) {
    std::vector<int32_t> out;
    for (const int64_t x : wide) out.push_back(static_cast<int32_t>(x));
    return out;
}

}  // namespace

std::vector<std::string> plain_checkpoints() {
    return folders_where([](const fs::path& folder) { return fs::exists(folder / "golden.safetensors") && !is_quantized(folder); });
}

std::vector<std::string> quantized_checkpoints() { return folders_where(is_quantized); }

std::string quantization_method(const std::string& name) {
    return read_json(golden_dir() / name / "config.json").at("quantization_config").at("quant_method");
}

GoldenCase read_golden(const std::string& name) {
    GoldenCase out;
    out.name = name;
    out.folder = golden_dir() / name;
    const TensorFile file(out.folder / "golden.safetensors");
    out.ids = narrow(file.read<int64_t>("input_ids", "I64"));
    out.logits = file.read<float>("logits", "F32");
    out.greedy = narrow(file.read<int64_t>("greedy", "I64"));
    const auto hidden = file.read<float>("hidden", "F32");
    const auto shape = file.shape("hidden");
    for (int64_t layer = 0; layer < shape.at(0); ++layer) {
        const auto begin = hidden.begin() + layer * shape.at(1) * shape.at(2);
        out.hidden.emplace_back(begin, begin + shape.at(1) * shape.at(2));
    }
    return out;
}

}  // namespace hearth::testing
