// The part of the stage qkv that follows its product.
#pragma once

#include "kernels/ops.h"

namespace hearth {

/// Rotation and appending of what the product of `a` wrote: qkv [T, (H + 2G) * D].
inline RopeAppendArgs rope_append_of(const QkvArgs& a, View<const float, 2> qkv) {
    return {.qkv = qkv,
            .q_norm = a.q_norm,
            .k_norm = a.k_norm,
            .eps = a.eps,
            .positions = a.positions,
            .slots = a.slots,
            .rope = a.rope,
            .cache = a.cache,
            .num_heads = a.num_heads,
            .q = a.q};
}

}  // namespace hearth
