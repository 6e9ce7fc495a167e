// Stages made of primitives: the last fast variant of each stage's table, on every device.
//
// A new format or instruction set needs one variant of matmul and not seven stages. A fused kernel is one more variant above these.
// kExpertsComposite routes on the host and so wants a device whose memory is the host's.
#pragma once

#include "kernels/tables.h"

namespace hearth {

extern const Variant<QkvArgs> kQkvComposite;          // norm, matmul, rope_append
extern const Variant<ProjectArgs> kProjectComposite;  // matmul onto the residual
extern const Variant<GateUpArgs> kGateUpComposite;    // norm, matmul of two weights
extern const Variant<ExpertsArgs> kExpertsComposite;  // norm, matmul, routing, then per expert matmul of two weights, matmul
extern const Variant<HeadArgs> kHeadComposite;        // norm of the rows asked for, matmul

}  // namespace hearth
