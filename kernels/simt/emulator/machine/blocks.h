// Makes a block ready to run: threads, warps, stacks, poisoned shared memory.
#pragma once

#include <memory>

#include "kernels/simt/emulator/machine/block.h"

namespace hearth::simt {

/// Block `number` of the launch's grid, x fastest. The fibers have their stacks but are not prepared.
std::unique_ptr<Block> make_block(Machine& machine, Launch& launch, unsigned long long number, uint32_t serial, StackPool& pool);

}  // namespace hearth::simt
