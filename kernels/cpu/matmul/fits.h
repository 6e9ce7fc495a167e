// Which arguments a product over panels can take.
#pragma once

#include "kernels/ops.h"

namespace hearth::cpu {

/// Whether the weights lie in panels, gate and up in the same format and shape, and the rows of x, y and the residual are dense. A variant
/// asks for its formats besides.
static inline bool fits_panels(const MatmulArgs& a) {
    const auto dense = [](const auto& v) { return v.stride[1] == 1 || v.extent[1] <= 1; };
    const auto alike = [](const Weight& v, const Weight& w) {
        return v.layout == w.layout && v.format == w.format && v.n == w.n && v.k == w.k && v.has_zeros == w.has_zeros;
    };
    return a.w.layout == WeightLayout::kPanels && (!a.up || alike(a.w, a.up)) && dense(a.x) && dense(a.y) &&
           (!a.residual.data || dense(a.residual)) && !(a.up && a.residual.data);
}

}  // namespace hearth::cpu
