// A Hugging Face folder becomes a Model.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "kernels/make_backend.h"
#include "kernels/ops.h"
#include "loaders/quantize/options.h"
#include "runtime/model.h"

namespace hearth {

class Scheme;  // loaders/schemes/scheme.h

/// What generation_config.json recommends; absent fields are not set.
struct GenerationDefaults {
    std::optional<float> temperature, top_p, min_p, repetition_penalty;
    std::optional<int32_t> top_k;
    bool greedy = false;  // do_sample is false
};

/// What the small files of a checkpoint say, before a byte of weights is read.
struct CheckpointInfo {
    std::filesystem::path folder;
    ModelConfig config;
    std::optional<int32_t> bos_token;
    std::vector<int32_t> eos_tokens;  // union of config.json and generation_config.json
    std::optional<bool> tie_flag;     // tie_word_embeddings as config.json has it; config.tied_embeddings is what the tensors say
    GenerationDefaults generation;
    int64_t parameters = 0;                // numbers in the tensors that the model uses
    int64_t file_bytes = 0;                // of those tensors
    int64_t ignored_tensors = 0;           // of the checkpoint, that the model does not use
    std::string quantization;              // "gptq, 4 bits"; "" for plain checkpoints
    std::shared_ptr<const Scheme> scheme;  // how its quantised matrices are stored; null for plain checkpoints
    std::vector<std::string> notices;      // for people, one line each: what of the folder was guessed or left aside
};

/// Reads and checks config.json, generation_config.json and the headers of the safetensors files: every tensor that the model needs is
/// there with its shape. Throws Error naming file, field, what was found and what is supported.
CheckpointInfo inspect_checkpoint(const std::filesystem::path& folder);

/// One tensor of a checkpoint, for `hearth inspect`.
struct TensorInfo {
    std::string name, file;
    std::string dtype;  // as the file spells it: "BF16"
    std::vector<int64_t> shape;
    bool used = false;  // the model reads it
};
std::vector<TensorInfo> list_tensors(const std::filesystem::path& folder);

struct LoadOptions {
    int64_t max_context = 0;        // rows of the rotation table; 0: the model's own
    QuantizeOptions quantize = {};  // what plain matrices become
    Progress progress;
};

/// Bytes on the device that load_model will take for weights. Reads scales, zero points and column groups of quantised checkpoints.
int64_t planned_weight_bytes(const CheckpointInfo& info, const Backend& backend, const QuantizeOptions& quantize = {});

/// Weights of all layers and the tables as `backend` would lay them out, over no memory: weights have `stand_in` as data, vectors a size
/// alone. For questions about kernels, never for running.
Weights planned_layers(const CheckpointInfo& info, const Backend& backend, const QuantizeOptions& quantize, const std::byte* stand_in);

/// Reads one weight after the other and packs it into its place on the device; beside the weights this takes the memory of the largest one.
/// The files can be gone afterwards. Throws Error as inspect_checkpoint does; also when a file changed or ended since, at whatever moment.
std::shared_ptr<const Model> load_model(const CheckpointInfo& info, std::shared_ptr<const Backend> backend,
                                        const LoadOptions& options = {});

/// A model of this shape with seeded random weights in `dtype` (kBf16, kF16 or kF32): benchmarks need no file.
std::shared_ptr<const Model> random_model(const ModelConfig& config, DType dtype, std::shared_ptr<const Backend> backend, uint64_t seed,
                                          const LoadOptions& options = {});

}  // namespace hearth
