// A plain checkpoint, quantised once and written as a Hugging Face folder that loads like any other.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/progress.h"
#include "kernels/stream.h"
#include "loaders/checkpoint/checkpoint_info.h"
#include "loaders/quantize/options.h"

namespace hearth {

/// All matrices of one kind and format, or what stays as it was.
struct QuantizedKind {
    std::string kind, format;  // "down_proj", "q4"; "norms and biases", "bf16"
    int64_t tensors = 0, parameters = 0;
    int64_t bytes_before = 0, bytes = 0;
    double squares = 0, squared_error = 0;  // sums over all numbers, of those that were quantised

    /// Mean squared error relative to the mean square; 0 where nothing was lost.
    double relative_error() const { return squares > 0 ? squared_error / squares : 0; }
};

/// Writes `out`: model.safetensors (NAME.codes and NAME.scales in the place of NAME.weight where it was quantised; what the model does not
/// use is left out), config.json with our quantization_config, and the tokenizer's, template's and generation's files as they are. Loading
/// it gives bit for bit the weights that loading info.folder with the same options gives. Works with the stream's threads on one matrix at
/// a time. `info` is of inspect_checkpoint.
///
/// Throws Error: the checkpoint is quantised already (kUnsupported); `out` is there (kBadInput) - a folder that is being made has the name
/// with ".partial" behind it, goes when something fails, and is replaced where a killed process left one; the disk is too small or refuses
/// (kNoResources, kIo); the rules of `options` as check_rules.
std::vector<QuantizedKind> quantize_folder(const CheckpointInfo& info, const QuantizeOptions& options, const std::filesystem::path& out,
                                           Stream& stream, const Progress& progress);

}  // namespace hearth
