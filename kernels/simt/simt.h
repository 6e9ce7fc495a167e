// The vocabulary of device code. Kernels include this file alone; nvcc gets PTX (device/), other compilers the emulator (emulator/).
//
//   places      thread_x() block_x() block_dim_x() grid_dim_x() ... lane() warp()
//   memory      GlobalPtr<T> SharedPtr<T>: p[i], load, store, load_vector<N, Cache>, store_vector<N>, p + n, as<U>(); SharedArena::take
//   block       sync_block() sync_named(id, threads) arrive_named(id, threads)
//   warp        sync_warp() shuffle() shuffle_xor() shuffle_up() shuffle_down() ballot() all_of() any_of() match_any() reduce()
//   copies      cp_async<4|8|16>() cp_async_commit() cp_async_wait<N>()
//   sm_90       mbarrier_init() fence_mbarrier_init() mbarrier_arrive() mbarrier_arrive_expect() mbarrier_wait() bulk_load()
//   matrices    ldmatrix<1|2|4, transposed>() mma_m16n8k16(bf16 | f16) mma_m16n8k32(int8_t | e4m3: sm_89)
//   grids       grid_wait() grid_trigger(): sm_90, nothing before
//   counters    atomic_add() atomic_add_acq_rel() store_release() load_acquire() wait_at_least()
//
// HEARTH_KERNEL name(Args args) {...} defines a kernel, HEARTH_DEVICE a function that kernels call. Device code is C++17: nvcc reads it
// too. What each operation means, orders and asks for stands in emulator/ops/ and emulator/matrix/, with the section of the PTX ISA.
#pragma once

#include "kernels/simt/vector.h"

#ifdef __CUDACC__
#include "kernels/simt/device/all.h"
#else
#include "kernels/simt/emulator/matrix/fragments.h"
#include "kernels/simt/emulator/ops/atomic.h"
#include "kernels/simt/emulator/ops/barrier.h"
#include "kernels/simt/emulator/ops/copy.h"
#include "kernels/simt/emulator/ops/grid.h"
#include "kernels/simt/emulator/ops/index.h"
#include "kernels/simt/emulator/ops/mbarrier.h"
#include "kernels/simt/emulator/ops/shared.h"
#include "kernels/simt/emulator/ops/warp.h"
#define HEARTH_KERNEL inline void
#endif
