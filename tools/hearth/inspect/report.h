// What `hearth inspect` knows of a model, and how it is written.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chat/template/chat_template.h"
#include "loaders/checkpoint/checkpoint_info.h"
#include "loaders/model_directory.h"
#include "loaders/tokenizer/tokenizer.h"
#include "tools/hearth/inspect/kernel_choice.h"
#include "tools/hearth/support/weight_formats.h"

namespace hearth::tool {

/// Bytes that running the model takes, worked out without loading it.
struct MemoryPlan {
    int64_t context = 0;  // of one sequence
    int64_t weights = 0;
    int64_t cache_per_token = 0, cache_tokens = 0, cache = 0;
    int64_t activations = 0, scratch = 0;
    int64_t available = 0;  // of the device

    int64_t total() const { return weights + cache + activations + scratch; }
};

/// A model folder, read but for its weights.
struct ModelReport {
    ModelEntry entry;
    CheckpointInfo info;
    std::vector<TensorInfo> tensors;
    MemoryPlan memory;
    std::string device, device_name;
    std::shared_ptr<const Tokenizer> tokenizer;  // null with the reason below
    std::string no_tokenizer;
    std::optional<FoundTemplate> chat_template;  // or none, with the reason if there was something wrong
    std::string no_template;
    KernelChoices kernels;
    std::vector<WeightLine> weights;  // as they would lie on the device
    std::string formats;              // of them together: "q4+q8"
};

/// For people. `all_tensors`: each, rather than one line for those that differ in their layer alone.
std::string report_text(const ModelReport& report, bool all_tensors);

/// One JSON object.
std::string report_json(const ModelReport& report, bool all_tensors);

/// Short identity of a text: FNV-1a, 64 bits, in hexadecimal.
std::string fingerprint(std::string_view text);

std::string rope_name(RopeConfig::Kind kind);
std::string round_trip_name(RoundTrip round_trip);

}  // namespace hearth::tool
