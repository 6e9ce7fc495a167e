#include "tests/loaders/checkpoint/changed_golden.h"

#include <cstring>

#include "kernels/make_backend.h"

namespace hearth::testing {

Parts::Parts(const std::filesystem::path& file) {
    const std::string bytes = read_file(file);
    uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    header = nlohmann::json::parse(bytes.substr(8, length));
    data = bytes.substr(8 + length);
}

void Parts::rename(const std::string& from, const std::string& to) {
    header[to] = header.at(from);
    header.erase(from);
}

void Parts::add(const std::string& name, const std::string& dtype, const nlohmann::json& shape, size_t bytes) {
    header[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {data.size(), data.size() + bytes}}};
    data.append(bytes, '\1');
}

void write_changed(const TempFolder& folder, const std::string& golden, const std::function<void(Parts&)>& change) {
    copy_golden(golden, folder.path());
    Parts parts(folder / "model.safetensors");
    change(parts);
    write_file(folder / "model.safetensors", parts.whole());
}

void write_two_shards(const TempFolder& folder, const std::string& golden, const std::function<bool(const std::string&)>& in_second,
                      const std::function<bool(const std::string&)>& listed) {
    copy_golden(golden, folder.path());
    Tensors whole(folder / "model.safetensors");
    std::vector<MadeTensor> first, second;
    nlohmann::json map;
    for (const auto& tensor : whole.all()) {
        (in_second(tensor.name) ? second : first).push_back(tensor);
        if (listed(tensor.name))
            map[tensor.name] = in_second(tensor.name) ? "model-00002-of-00002.safetensors" : "model-00001-of-00002.safetensors";
    }
    std::filesystem::remove(folder / "model.safetensors");
    write_file(folder / "model-00001-of-00002.safetensors", safetensors(first));
    write_file(folder / "model-00002-of-00002.safetensors", safetensors(second));
    write_file(folder / "model.safetensors.index.json", nlohmann::json{{"weight_map", map}}.dump());
}

Tensors::Tensors(const std::filesystem::path& file) {
    const Parts parts(file);
    for (const auto& [name, tensor] : parts.header.items()) {
        if (name == "__metadata__") continue;
        const size_t begin = tensor["data_offsets"][0], end = tensor["data_offsets"][1];
        tensors_.push_back({name, tensor["dtype"], tensor["shape"], parts.data.substr(begin, end - begin)});
    }
}

MadeTensor& Tensors::at(const std::string& name) {
    for (MadeTensor& tensor : tensors_) {
        if (tensor.name == name) return tensor;
    }
    throw std::runtime_error("no tensor " + name);
}

void Tensors::erase(const std::string& name) {
    at(name);
    std::erase_if(tensors_, [&](const MadeTensor& tensor) { return tensor.name == name; });
}

ChangedGolden::ChangedGolden(const std::string& name, const ChangeTensors& tensors, const ChangeConfig& config) {
    copy_golden(name, folder_.path());
    if (tensors) {
        Tensors all(folder_ / "model.safetensors");
        tensors(all);
        all.write(folder_ / "model.safetensors");
    }
    if (config) {
        auto json = read_json(folder_ / "config.json");
        config(json["quantization_config"]);
        write_file(folder_ / "config.json", json.dump());
    }
}

std::shared_ptr<const Backend> reference_backend() {
    BackendOptions options;
    options.device = "reference";
    return make_backend(options);
}

std::shared_ptr<const Model> load(const std::filesystem::path& folder, const QuantizeOptions& quantize) {
    LoadOptions options;
    options.quantize = quantize;
    return load_model(inspect_checkpoint(folder), reference_backend(), options);
}

std::vector<float> row_of(const Weight& weight, int64_t row) {
    std::vector<float> out(static_cast<size_t>(weight.k));
    unpack_row(weight, row, out.data());
    return out;
}

std::vector<PackedWeight> packed_weights(const Model& model) {
    std::vector<PackedWeight> out;
    const auto add = [&](const std::string& name, const Weight& w) {
        if (w.data)
            out.push_back({.name = name,
                           .format = w.format,
                           .has_zeros = w.has_zeros,
                           .bytes = std::string(static_cast<const char*>(w.data), static_cast<size_t>(w.bytes))});
    };
    const Weights& weights = model.weights();
    add("embed", weights.embed.weight);
    add("head", weights.head.weight);
    for (const LayerWeights& layer : weights.layers) {
        add("qkv", layer.qkv.weight);
        add("out", layer.out.weight);
        add("gate", layer.gate.weight);
        add("up", layer.up.weight);
        add("down", layer.down.weight);
        add("router", layer.router.weight);
        for (const auto* experts : {&layer.expert_gate, &layer.expert_up, &layer.expert_down}) {
            for (const Weight& weight : *experts) add("expert", weight);
        }
    }
    return out;
}

int32_t word_at(const MadeTensor& tensor, size_t i) {
    int32_t value = 0;
    std::memcpy(&value, tensor.bytes.data() + 4 * i, 4);
    return value;
}

void set_word(MadeTensor& tensor, size_t i, int32_t value) { std::memcpy(tensor.bytes.data() + 4 * i, &value, 4); }

}  // namespace hearth::testing
