// oneDNN's matmul as a variant to compare with. Only where HEARTH_ONEDNN is defined: oneDNN was found when this was built.
#pragma once

#include "kernels/backend.h"

namespace hearth::perf {

/// bf16 panels on AVX-512 or newer, 16 tokens or more. Runs on the one stream that perf_kernels has, and on no other beside it.
extern const Variant<MatmulArgs> kMatmulOneDnn;

}  // namespace hearth::perf
