// The tensors of a model, on its device, in the layout that its kernels read.
#pragma once

#include <memory>
#include <vector>

#include "kernels/backend.h"

namespace hearth {

/// A vector of float32 on the device; empty where the model has none.
struct DeviceVector {
    DeviceBytes bytes;
    int64_t size = 0;

    View<const float, 1> view() const { return {reinterpret_cast<const float*>(bytes.get()), {size}}; }
};

/// A Weight and the memory under it.
struct DeviceWeight {
    Weight weight;
    DeviceBytes bytes;
};

/// One layer. Dense models fill gate, up, down; mixtures the vectors of experts and the router.
struct LayerWeights {
    DeviceVector attention_norm;                              // [hidden]
    DeviceWeight qkv;                                         // [(H + 2G) * D, hidden]
    DeviceVector qkv_bias;                                    // [(H + 2G) * D] or empty
    DeviceVector q_norm, k_norm;                              // [D] or empty
    DeviceWeight out;                                         // [hidden, H * D]
    DeviceVector out_bias;                                    // [hidden] or empty
    DeviceVector mlp_norm;                                    // [hidden]
    DeviceWeight gate, up;                                    // [intermediate, hidden]
    DeviceVector gate_bias, up_bias;                          // [intermediate] or empty
    DeviceWeight down;                                        // [hidden, intermediate]
    DeviceVector down_bias;                                   // [hidden] or empty
    DeviceWeight router;                                      // [E, hidden]
    std::vector<Weight> expert_gate, expert_up, expert_down;  // [E]: plain host arrays of weights over `expert_bytes`
    std::vector<DeviceBytes> expert_bytes;
};

/// Everything. `embed` and `head` may share memory (tied); then both have the layout of the head.
struct Weights {
    DeviceWeight embed;  // [V, hidden]
    std::vector<LayerWeights> layers;
    DeviceVector final_norm;  // [hidden]
    DeviceWeight head;        // [V, hidden]

    int64_t total_bytes() const;  // on the device; shared memory counted once
};

}  // namespace hearth
