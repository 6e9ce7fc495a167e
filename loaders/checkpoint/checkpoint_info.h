// What a Hugging Face folder says of its model, before a byte of weights is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/model_config.h"

namespace hearth {

class Checkpoint;  // loaders/checkpoint/checkpoint.h
class Scheme;      // loaders/schemes/scheme.h

/// What generation_config.json recommends; absent fields are not set.
struct RecommendedSampling {
    std::optional<float> temperature, top_p, min_p, repetition_penalty;
    std::optional<int32_t> top_k;
    bool greedy = false;  // do_sample is false
};

/// What the small files of a checkpoint say, before a byte of weights is read.
struct CheckpointInfo {
    std::filesystem::path folder;
    /// Its files of weights, open, with their headers read: who plans or loads reads on from here, so that no header is read twice and what
    /// was checked is what is loaded. Null where config.json was read alone; let go of it once nothing is to be read any more.
    std::shared_ptr<const Checkpoint> checkpoint;
    ModelConfig config;
    std::optional<int32_t> bos_token;
    std::vector<int32_t> eos_tokens;  // union of config.json and generation_config.json
    std::optional<bool> tie_flag;     // tie_word_embeddings as config.json has it; config.tied_embeddings is what the tensors say
    RecommendedSampling recommended_sampling;
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
/// Every tensor of info.checkpoint, which must be there, by name.
std::vector<TensorInfo> list_tensors(const CheckpointInfo& info);

}  // namespace hearth
