// Models of any shape without files: what they say is noise, but it costs what a real one does.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/dtype.h"
#include "loaders/load_model.h"

namespace hearth {

/// A model of this shape with seeded random weights in `dtype` (kBf16, kF16 or kF32): benchmarks need no file.
std::shared_ptr<const Model> random_model(const ModelConfig& config, DType dtype, std::shared_ptr<const Backend> backend, uint64_t seed,
                                          const LoadOptions& options = {});

}  // namespace hearth
