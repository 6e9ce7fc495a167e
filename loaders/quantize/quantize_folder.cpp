#include "loaders/quantize/quantize_folder.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "kernels/host/fast_quantize.h"
#include "loaders/checkpoint/settle_names.h"
#include "loaders/io/json_file.h"
#include "loaders/io/model_files.h"
#include "loaders/quantize/partial_folder.h"
#include "loaders/quantize/rules.h"
#include "loaders/quantize/tensor_writer.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kRowsPerTask = 64;

/// A tensor of the model and what becomes of it.
struct Item {
    const Checkpoint::Entry* entry = nullptr;
    std::string label;  // for the table
    std::optional<QuantKind> kind;
    int64_t n = 0, k = 0;
    size_t first = 0;  // its tensor in the new file; its scales are the next
};

/// "model.layers.0.mlp.down_proj.weight" -> "down_proj".
std::string label_of(const std::string& name) {
    const std::vector<std::string> parts = split(name, '.');
    return parts.size() < 2 ? name : parts[parts.size() - 2];
}

class Collector : public WeightVisitor {
public:
    Collector(const Checkpoint& checkpoint, const QuantizeRules& rules) : checkpoint_(checkpoint), rules_(rules) {}

    void matrix(const std::vector<NeededTensor>& parts, WeightUse use, DeviceWeight&) override {
        const auto kind = rules_.kind_of(parts, use);
        for (const NeededTensor& part : parts)
            items.push_back({.entry = checkpoint_.find(part.name), .label = label_of(part.name), .kind = kind, .n = part.n, .k = part.k});
    }
    void vector(const std::vector<NeededTensor>& parts, DeviceVector&) override {
        for (const NeededTensor& part : parts)
            items.push_back({.entry = checkpoint_.find(part.name), .label = "norms and biases", .kind = std::nullopt, .n = part.n, .k = 0});
    }

    std::vector<Item> items;

private:
    const Checkpoint& checkpoint_;
    const QuantizeRules& rules_;
};

/// The tensors of the new file. Sets `first` of the items.
std::vector<NewTensor> new_tensors(std::vector<Item>& items) {
    std::vector<NewTensor> out;
    for (Item& item : items) {
        item.first = out.size();
        const StoredTensor& tensor = *item.entry->tensor;
        if (!item.kind) {
            out.push_back({tensor.name, std::string(tensor.type->name), tensor.shape, tensor.bytes()});
            continue;
        }
        const std::string stem = tensor.name.substr(0, tensor.name.size() - std::strlen("weight"));
        const int64_t row = code_bytes(*item.kind, item.k), groups = ceil_div(item.k, kQuantGroup);
        out.push_back({stem + "codes", *item.kind == QuantKind::kQ8 ? "I8" : "U8", {item.n, row}, item.n * row});
        out.push_back({stem + "scales", "F16", {item.n, groups}, item.n * groups * int64_t{sizeof(F16)}});
    }
    return out;
}

/// One quantised matrix, and what it lost.
struct Quantized {
    std::vector<uint8_t> codes;
    std::vector<F16> scales;
    double squares = 0, squared_error = 0;
};

Quantized quantize(const Item& item, const ByteBuffer& bytes, Stream& stream) {
    const DType type = *item.entry->tensor->type->dtype;
    const int64_t row_codes = code_bytes(*item.kind, item.k), groups = ceil_div(item.k, kQuantGroup),
                  tasks = ceil_div(item.n, kRowsPerTask);
    Quantized out;
    out.codes.resize(static_cast<size_t>(item.n * row_codes));
    out.scales.resize(static_cast<size_t>(item.n * groups));
    std::vector<double> squares(static_cast<size_t>(tasks)), errors(static_cast<size_t>(tasks));
    stream.parallel_for(tasks, [&](int64_t task) {
        std::vector<float> row(static_cast<size_t>(item.k)), back(row.size());
        QuantRows rows;
        rows.kind = *item.kind;
        rows.codes = out.codes.data();
        rows.scales = out.scales.data();
        for (int64_t r = task * kRowsPerTask; r < std::min(item.n, (task + 1) * kRowsPerTask); ++r) {
            for (int64_t i = 0; i < item.k; ++i) row[static_cast<size_t>(i)] = load_float(bytes.data(), type, r * item.k + i);
            quantize_row_fast(*item.kind, row, nullptr,
                              {std::span(out.codes).subspan(static_cast<size_t>(r * row_codes), static_cast<size_t>(row_codes)),
                               std::span(out.scales).subspan(static_cast<size_t>(r * groups), static_cast<size_t>(groups))});
            dequantize_row(rows, r, item.k, back.data());
            for (size_t i = 0; i < row.size(); ++i) {
                const double x = row[i], lost = x - double{back[i]};
                squares[static_cast<size_t>(task)] += x * x;
                errors[static_cast<size_t>(task)] += lost * lost;
            }
        }
    });
    for (size_t i = 0; i < squares.size(); ++i) {
        out.squares += squares[i];
        out.squared_error += errors[i];
    }
    return out;
}

/// Sums up by kind and format, in the order in which they come first.
class Table {
public:
    QuantizedKind& line(const Item& item) {
        const std::string format = item.kind ? std::string(name_of(*item.kind)) : std::string(name_of(*item.entry->tensor->type->dtype));
        const auto [found, is_new] = index_.try_emplace({item.label, format}, lines.size());
        if (is_new) {
            QuantizedKind made;
            made.kind = item.label;
            made.format = format;
            lines.push_back(std::move(made));
        }
        return lines[found->second];
    }

    std::vector<QuantizedKind> lines;

private:
    std::map<std::pair<std::string, std::string>, size_t> index_;
};

std::vector<QuantizedKind> write_weights(std::vector<Item>& items, const fs::path& file, Stream& stream, const Progress& progress) {
    const std::vector<NewTensor> tensors = new_tensors(items);
    TensorWriter writer(file, tensors);
    Table table;
    ByteBuffer bytes;
    int64_t done = 0, total = 0;
    for (const Item& item : items) total += item.entry->tensor->bytes();
    for (const Item& item : items) {
        const StoredTensor& tensor = *item.entry->tensor;
        item.entry->file->file().check_unchanged();
        item.entry->read(bytes, &stream);
        item.entry->file->file().check_unchanged();
        QuantizedKind& line = table.line(item);
        line.tensors += 1;
        line.parameters += tensor.numel();
        line.bytes_before += tensor.bytes();
        if (item.kind) {
            const Quantized made = quantize(item, bytes, stream);
            writer.write(item.first, made.codes.data(), std::ssize(made.codes));
            writer.write(item.first + 1, made.scales.data(), std::ssize(made.scales) * int64_t{sizeof(F16)});
            line.bytes += std::ssize(made.codes) + std::ssize(made.scales) * int64_t{sizeof(F16)};
            line.squares += made.squares;
            line.squared_error += made.squared_error;
        } else {
            writer.write(item.first, bytes.data(), tensor.bytes());
            line.bytes += tensor.bytes();
        }
        done += tensor.bytes();
        if (progress) progress({"quantising", done, total});
    }
    writer.finish();
    return table.lines;
}

void write_config(const fs::path& from, const QuantizeOptions& options, const fs::path& to) {
    read_json_object(from, kMaxConfigBytes);  // strict; what follows only keeps the order of its keys
    auto config = nlohmann::ordered_json::parse(with_quoted_numbers(read_small_file(from, kMaxConfigBytes)));
    config["quantization_config"] = {{"quant_method", "hearth"},
                                     {"version", 1},
                                     {"format", std::string(name_of(*options.kind))},
                                     {"group_size", kQuantGroup},
                                     {"levels", std::vector<int>(kNormalLevels.begin(), kNormalLevels.end())}};
    write_whole(to, config.dump(2) + "\n");
}

/// Far above every tokenizer and licence that was ever published.
constexpr int64_t kMaxCarriedBytes = int64_t{1} << 30;

void copy_small_files(const fs::path& from, const fs::path& to) {
    for (const std::string& name : model_file_names(from)) {
        if (is_carried(name)) write_whole(to / name, read_small_file(from / name, kMaxCarriedBytes));
    }
}

}  // namespace

std::vector<QuantizedKind> quantize_folder(const CheckpointInfo& info, const QuantizeOptions& options, const fs::path& out, Stream& stream,
                                           const Progress& progress) {
    HEARTH_CHECK(options.kind);
    if (info.scheme) {
        throw Error(ErrorKind::kUnsupported, cat(info.folder.string(), ": is quantised already (", printable(info.quantization),
                                                 "); supported: plain weights in BF16, F16 or F32"));
    }
    HEARTH_CHECK(info.checkpoint);
    const Checkpoint& checkpoint = *info.checkpoint;
    CheckpointInfo settled = info;
    const TensorNames names = settle_names(checkpoint, settled);
    const ModelConfig& config = settled.config;
    check_rules(config, names, options);
    const QuantizeRules rules(options, names);
    Collector collector(checkpoint, rules);
    visit_weights(config, names, collector);
    fs::path wanted = out;
    if (!wanted.has_filename()) wanted = wanted.parent_path();  // "DIR/"
    PartialFolder folder(wanted);
    const auto lines = write_weights(collector.items, folder.path() / "model.safetensors", stream, progress);
    write_config(info.folder / "config.json", options, folder.path() / "config.json");
    copy_small_files(info.folder, folder.path());
    folder.keep();
    return lines;
}

}  // namespace hearth
