// Where the lanes of a warp meet.
#pragma once

#include "kernels/simt/emulator/machine/block.h"

namespace hearth::simt {

/// Computes for all lanes that met: `operands[l]` is what lane l brought, on its stack; null for lanes outside of the mask.
using Combine = void (*)(const Rendezvous& met, Warp& warp);

/// The current lane meets the others of `mask` at `operation`, and returns when all have come. `aligned`: they must come from one line,
/// as the PTX instructions marked .aligned ask. Reports a divergent warp, and drops the block, where they cannot meet.
void meet(const char* operation, uint32_t mask, void* operand, Combine combine, bool aligned, Where where);

}  // namespace hearth::simt
