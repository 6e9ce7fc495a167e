// A Hugging Face folder becomes a Model.
#pragma once

#include <memory>

#include "base/progress.h"
#include "kernels/make_backend.h"
#include "loaders/checkpoint/checkpoint_info.h"
#include "loaders/quantize/options.h"
#include "runtime/model.h"

namespace hearth {

struct LoadOptions {
    int64_t max_context = 0;        // rows of the rotation table; 0: the model's own
    QuantizeOptions quantize = {};  // what plain matrices become
    Progress progress;
};

/// Reads one weight after the other and packs it into its place on the device; beside the weights this takes the memory of the largest one.
/// `info` is of inspect_checkpoint; its files are read through info.checkpoint, so that a folder whose names are gone meanwhile still
/// loads. Throws Error{kIo} naming the file when one changed or ended since it was inspected, at whatever moment, or cannot be read; Error
/// as inspect_checkpoint does for what options.quantize and options.max_context ask for.
std::shared_ptr<const Model> load_model(const CheckpointInfo& info, std::shared_ptr<const Backend> backend,
                                        const LoadOptions& options = {});

}  // namespace hearth
