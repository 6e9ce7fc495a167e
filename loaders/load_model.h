// A Hugging Face folder becomes a Model.
#pragma once

#include <memory>

#include "base/progress.h"
#include "kernels/backend.h"
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
/// The files can be gone afterwards. Throws Error as inspect_checkpoint does; also when a file changed or ended since, at whatever moment.
std::shared_ptr<const Model> load_model(const CheckpointInfo& info, std::shared_ptr<const Backend> backend,
                                        const LoadOptions& options = {});

}  // namespace hearth
