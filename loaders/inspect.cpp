#include "loaders/inspect.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "loaders/config.h"
#include "loaders/io/json_file.h"
#include "loaders/io/model_files.h"
#include "loaders/matrix_source.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxListed = 5;  // missing tensors that a message names

std::string shape_text(const std::vector<int64_t>& shape) {
    std::vector<std::string> parts;
    for (int64_t extent : shape) parts.push_back(cat(extent));
    return cat("[", join(parts, ", "), "]");
}

bool is_matrix(const Checkpoint::Entry& entry, int64_t n, int64_t k) { return entry.tensor->shape == std::vector<int64_t>{n, k}; }

/// Looks every needed tensor up; reads no byte of any.
class Checker : public WeightVisitor {
public:
    Checker(const Checkpoint& checkpoint, const Scheme* scheme) : checkpoint_(checkpoint), scheme_(scheme) {}

    void matrix(const std::vector<NeededTensor>& parts, WeightUse, DeviceWeight&) override { check(parts); }
    void vector(const std::vector<NeededTensor>& parts, DeviceVector&) override { check(parts); }

    TensorUse take() {
        if (!missing_.empty()) throw_missing("");
        return std::move(use_);
    }

private:
    void check(const std::vector<NeededTensor>& parts) {
        for (const NeededTensor& needed : parts) {
            const Checkpoint::Entry* entry = checkpoint_.find(needed.name);
            if (const auto layout = needed.k > 0 ? find_layout(checkpoint_, scheme_, needed) : std::nullopt) {
                use_.parameters += needed.n * needed.k;
                for (const Checkpoint::Entry* part : layout->entries()) note_used(*part);
            } else if (entry) {
                check(needed, *entry);
            } else {
                note_missing(needed.name);
            }
        }
    }

    void check(const NeededTensor& needed, const Checkpoint::Entry& entry) {
        const StoredTensor& tensor = *entry.tensor;
        const std::string who = cat(entry.file->file().name(), ": tensor \"", needed.name, "\"");
        const auto type = tensor.type->dtype;
        if (type != DType::kBf16 && type != DType::kF16 && type != DType::kF32) {
            throw Error(ErrorKind::kUnsupported,
                        cat(who, " is of ", tensor.type->name, "; supported: BF16, F16, F32 (is the checkpoint quantised?)"));
        }
        const std::vector<int64_t> shape = needed.k == 0 ? std::vector<int64_t>{needed.n} : std::vector<int64_t>{needed.n, needed.k};
        if (tensor.shape != shape) {
            throw Error(ErrorKind::kBadInput,
                        cat(who, " has shape ", shape_text(tensor.shape), ", config.json asks for ", shape_text(shape)));
        }
        use_.parameters += tensor.numel();
        note_used(entry);
    }

    void note_used(const Checkpoint::Entry& entry) {
        use_.names.insert(entry.tensor->name);
        use_.bytes += entry.tensor->bytes();
    }

    void note_missing(const std::string& name) {
        // What the usual schemes put in a weight's place.
        const std::string stem = name.ends_with(".weight") ? name.substr(0, name.size() - 6) : name + ".";
        for (const char* quantised : {"qweight", "weight_packed", "weight_q", "SCB", "codes"}) {
            if (checkpoint_.find(stem + quantised)) {
                refuse_quantization(checkpoint_.folder().string(), cat("(by its tensors: ", stem, quantised, ")"));
            }
        }
        missing_.push_back(name);
        if (missing_.size() == kMaxListed) throw_missing(" and perhaps more");
    }

    [[noreturn]] void throw_missing(std::string_view more) const {
        throw Error(ErrorKind::kBadInput, cat(checkpoint_.folder().string(), ": no tensor ", join(missing_, ", "), more, " among the ",
                                              checkpoint_.entries().size(), " of the checkpoint; config.json asks for it"));
    }

    const Checkpoint& checkpoint_;
    const Scheme* scheme_;
    TensorUse use_;
    std::vector<std::string> missing_;
};

/// Which of the two [V, hidden] tables is there. With both, the head has weights of its own, whatever the flag says.
void settle_tie(const Checkpoint& checkpoint, const Scheme* scheme, const std::string& embed, ModelConfig& config, TensorNames& names) {
    const auto have = [&](const std::string& name) {
        return checkpoint.find(name) || find_layout(checkpoint, scheme, {name, config.vocab, config.hidden});
    };
    const bool have_embed = have(embed), have_head = have("lm_head.weight");
    if (!have_embed && !have_head) {
        throw Error(ErrorKind::kBadInput, cat(checkpoint.folder().string(), ": neither ", embed, " nor lm_head.weight is among its ",
                                              checkpoint.entries().size(), " tensors"));
    }
    const bool flag = config.tied_embeddings;
    config.tied_embeddings = !(have_embed && have_head);
    names.embed = have_embed ? embed : "lm_head.weight";
    if (flag || !config.tied_embeddings) return;
    // The flag denies a tie. One table alone is a tie all the same, unless the other one is there under a name that we do not know.
    for (const auto& [name, entry] : checkpoint.entries()) {
        if (name != names.embed && name.find("layers.") == std::string::npos && is_matrix(entry, config.vocab, config.hidden)) {
            throw Error(ErrorKind::kBadInput,
                        cat(entry.file->file().name(), ": tie_word_embeddings is false and ", have_embed ? "lm_head.weight" : embed,
                            " is missing, but an unknown tensor \"", printable(name), "\" has its shape"));
        }
    }
}

}  // namespace

TensorNames settle_names(const Checkpoint& checkpoint, const Scheme* scheme, ModelConfig& config) {
    TensorNames names;
    names.family = find_family(config.family);
    if (!checkpoint.find("model.norm.weight") && checkpoint.find("norm.weight")) names.prefix = "";
    settle_tie(checkpoint, scheme, names.prefix + "embed_tokens.weight", config, names);
    // A bias that is there was trained, whatever the flag says; a flag without its tensors is found later.
    for (const auto& [name, entry] : checkpoint.entries()) {
        if (!name.ends_with("_proj.bias") || !name.starts_with(names.prefix + "layers.")) continue;
        config.qkv_bias |= name.ends_with(".self_attn.q_proj.bias") || name.ends_with(".self_attn.k_proj.bias") ||
                           name.ends_with(".self_attn.v_proj.bias");
        config.o_bias |= name.ends_with(".self_attn.o_proj.bias");
        config.mlp_bias |= config.experts == 0 && name.find(".mlp.") != std::string::npos;
    }
    return names;
}

TensorUse check_tensors(const Checkpoint& checkpoint, const Scheme* scheme, const ModelConfig& config, const TensorNames& names) {
    Checker checker(checkpoint, scheme);
    visit_weights(config, names, checker);
    return checker.take();
}

namespace {

/// Quantisation that is told in a file of its own, beside a config.json that may be silent.
void check_quantization_files(const fs::path& folder) {
    for (const char* file : {"hf_quant_config.json", "quantize_config.json", "quant_config.json", "compression_config.json"}) {
        const fs::path path = folder / file;
        if (!model_file_exists(path)) continue;
        const nlohmann::json json = read_json_object(path, kMaxConfigBytes);
        const ConfigFields fields(json, path.string());
        std::string method;
        if (fields.is_object("quantization")) method = fields.object("quantization").text("quant_algo", "");
        if (method.empty()) method = fields.text("quant_method", "");
        if (method.empty() && std::string_view(file) == "hf_quant_config.json")
            continue;  // modelopt writes it with a null for plain weights
        if (method.empty() && std::string_view(file) == "quantize_config.json") method = "gptq";
        if (method.empty() && std::string_view(file) == "quant_config.json") method = "awq";
        if (method.empty()) method = "compressed-tensors";
        refuse_quantization(path.string(), method);
    }
}

CheckpointInfo read_small_files(const fs::path& folder) {
    require_folder(folder);
    if (!model_file_exists(folder / "config.json")) no_checkpoint(folder, "config.json");
    CheckpointInfo info = read_config(folder / "config.json");
    info.folder = folder;
    if (!info.scheme) check_quantization_files(folder);  // tools write both; then config.json decides
    if (model_file_exists(folder / "generation_config.json")) read_generation_config(folder / "generation_config.json", info);
    return info;
}

}  // namespace

CheckpointInfo inspect_checkpoint(const fs::path& folder) {
    CheckpointInfo info = read_small_files(folder);
    const Checkpoint checkpoint = Checkpoint::open(folder);
    const TensorNames names = settle_names(checkpoint, info.scheme.get(), info.config);
    const TensorUse use = check_tensors(checkpoint, info.scheme.get(), info.config, names);
    info.parameters = use.parameters;
    info.file_bytes = use.bytes;
    info.ignored_tensors = static_cast<int64_t>(checkpoint.entries().size() - use.names.size());
    const Checkpoint::Entry* typical = checkpoint.find(names.embed);
    if (!typical) typical = checkpoint.find(names.prefix + "norm.weight");  // of a quantised table
    info.config.stored_dtype = name_of(*typical->tensor->type->dtype);
    return info;
}

std::vector<TensorInfo> list_tensors(const fs::path& folder) {
    const Checkpoint checkpoint = Checkpoint::open(folder);
    TensorUse use;
    try {
        CheckpointInfo info = read_small_files(folder);
        const TensorNames names = settle_names(checkpoint, info.scheme.get(), info.config);
        use = check_tensors(checkpoint, info.scheme.get(), info.config, names);
    } catch (const Error&) {
        // A model that cannot be run can still be looked at: then nothing is used.
    }
    std::vector<TensorInfo> out;
    for (const auto& [name, entry] : checkpoint.entries()) {
        out.push_back({name, fs::path(entry.file->file().name()).filename().string(), std::string(entry.tensor->type->name),
                       entry.tensor->shape, use.names.contains(name)});
    }
    return out;
}

}  // namespace hearth
