// Where a thread stands in its block and grid.
#pragma once

#include "kernels/simt/emulator/machine/block.h"

namespace hearth::simt {

inline unsigned thread_x() { return current->id.x; }
inline unsigned thread_y() { return current->id.y; }
inline unsigned thread_z() { return current->id.z; }
inline unsigned block_x() { return current->block->id.x; }
inline unsigned block_y() { return current->block->id.y; }
inline unsigned block_z() { return current->block->id.z; }
inline unsigned block_dim_x() { return current->block->launch->block.x; }
inline unsigned block_dim_y() { return current->block->launch->block.y; }
inline unsigned block_dim_z() { return current->block->launch->block.z; }
inline unsigned grid_dim_x() { return current->block->launch->grid.x; }
inline unsigned grid_dim_y() { return current->block->launch->grid.y; }
inline unsigned grid_dim_z() { return current->block->launch->grid.z; }
inline unsigned lane() { return current->lane; }        // for blocks whose x extent is a multiple of 32
inline unsigned warp() { return current->index / 32; }  // likewise

}  // namespace hearth::simt
