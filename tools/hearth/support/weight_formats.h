// In which formats a model's weights lie on the device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/weights.h"

namespace hearth::tool {

/// One weight as kernels read it. Tensors that are stacked (q, k and v) are one.
struct WeightLine {
    std::string name;  // "embed", "layers.3.qkv", "layers.3.experts.down", "head"
    std::string format, layout;
    int64_t count = 1;  // experts of one format
    int64_t bytes = 0;  // together
};

/// Every weight in the order of use. A head that is the embedding again is listed too.
std::vector<WeightLine> weight_lines(const Weights& weights);

/// "bf16"; all that there are where they are mixed, in order of their names: "q4+q8".
std::string formats_of(const Weights& weights);

}  // namespace hearth::tool
