// What was quantised while it was loaded is kept on disk, so that the next load reads a quarter of the bytes and computes nothing.
#pragma once

#include <filesystem>

#include "base/progress.h"
#include "kernels/stream.h"
#include "loaders/checkpoint/checkpoint_info.h"
#include "loaders/model_directory.h"
#include "loaders/quantize/options.h"

namespace hearth {

/// Where copies are kept: ".quantized" in the model directory, which list_models() does not look into.
std::filesystem::path kept_quantized_root();

/// Folders of one model with one quantisation: "NAME-q8-SETTINGS-SOURCE". SETTINGS stands for the folder that it is made from and for what
/// is done to it, SOURCE for names, sizes and times of the files that it is made from.
struct KeptCopy {
    std::filesystem::path folder;
    std::string stem;  // all of its name but SOURCE: other folders with it were made from files that are gone
};
KeptCopy kept_copy(const std::filesystem::path& root, const ModelEntry& entry, const QuantizeOptions& options);

/// Writes the copy as `hearth quantize` does, under another name first, and removes those that it replaces. Throws Error: what
/// quantize_folder throws, kIo where the folder around it cannot be made.
void write_kept_copy(const KeptCopy& copy, const CheckpointInfo& info, const QuantizeOptions& options, Stream& stream,
                     const Progress& progress);

}  // namespace hearth
