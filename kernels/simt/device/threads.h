// Places, barriers, warp operations for nvcc: emulator/ops/index.h, barrier.h, warp.h say what they mean.
#pragma once

#include <stdint.h>

#include "kernels/simt/vector.h"

namespace hearth::simt {

__device__ __forceinline__ unsigned thread_x() { return threadIdx.x; }
__device__ __forceinline__ unsigned thread_y() { return threadIdx.y; }
__device__ __forceinline__ unsigned thread_z() { return threadIdx.z; }
__device__ __forceinline__ unsigned block_x() { return blockIdx.x; }
__device__ __forceinline__ unsigned block_y() { return blockIdx.y; }
__device__ __forceinline__ unsigned block_z() { return blockIdx.z; }
__device__ __forceinline__ unsigned block_dim_x() { return blockDim.x; }
__device__ __forceinline__ unsigned block_dim_y() { return blockDim.y; }
__device__ __forceinline__ unsigned block_dim_z() { return blockDim.z; }
__device__ __forceinline__ unsigned grid_dim_x() { return gridDim.x; }
__device__ __forceinline__ unsigned grid_dim_y() { return gridDim.y; }
__device__ __forceinline__ unsigned grid_dim_z() { return gridDim.z; }
__device__ __forceinline__ unsigned lane() { return threadIdx.x % 32; }
__device__ __forceinline__ unsigned warp() { return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) / 32; }

__device__ __forceinline__ void sync_block() { __syncthreads(); }
__device__ __forceinline__ void sync_named(unsigned id, unsigned threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
__device__ __forceinline__ void arrive_named(unsigned id, unsigned threads) {
    asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

constexpr uint32_t kAllLanes = 0xffffffffu;
enum class Reduction : uint8_t { kAdd, kMin, kMax, kAnd, kOr, kXor };

template <class T>
__device__ __forceinline__ T shuffle(T value, int source, int width = 32, uint32_t mask = kAllLanes) {
    return __shfl_sync(mask, value, source, width);
}
template <class T>
__device__ __forceinline__ T shuffle_xor(T value, int bits, int width = 32, uint32_t mask = kAllLanes) {
    return __shfl_xor_sync(mask, value, bits, width);
}
template <class T>
__device__ __forceinline__ T shuffle_up(T value, unsigned delta, int width = 32, uint32_t mask = kAllLanes) {
    return __shfl_up_sync(mask, value, delta, width);
}
template <class T>
__device__ __forceinline__ T shuffle_down(T value, unsigned delta, int width = 32, uint32_t mask = kAllLanes) {
    return __shfl_down_sync(mask, value, delta, width);
}

__device__ __forceinline__ uint32_t ballot(bool predicate, uint32_t mask = kAllLanes) { return __ballot_sync(mask, predicate); }
__device__ __forceinline__ bool all_of(bool predicate, uint32_t mask = kAllLanes) { return __all_sync(mask, predicate) != 0; }
__device__ __forceinline__ bool any_of(bool predicate, uint32_t mask = kAllLanes) { return __any_sync(mask, predicate) != 0; }
__device__ __forceinline__ uint32_t match_any(uint32_t value, uint32_t mask = kAllLanes) { return __match_any_sync(mask, value); }

template <class Integer>
__device__ __forceinline__ Integer reduce(Reduction reduction, Integer value, uint32_t mask = kAllLanes) {
    const auto bits = static_cast<unsigned>(value);
    switch (reduction) {
        case Reduction::kAdd: return __reduce_add_sync(mask, value);
        case Reduction::kMin: return __reduce_min_sync(mask, value);
        case Reduction::kMax: return __reduce_max_sync(mask, value);
        case Reduction::kAnd: return static_cast<Integer>(__reduce_and_sync(mask, bits));
        case Reduction::kOr: return static_cast<Integer>(__reduce_or_sync(mask, bits));
        default: return static_cast<Integer>(__reduce_xor_sync(mask, bits));
    }
}

__device__ __forceinline__ void sync_warp(uint32_t mask = kAllLanes) { __syncwarp(mask); }

/// griddepcontrol is of sm_90; before it launches never overlap.
__device__ __forceinline__ void grid_wait() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
__device__ __forceinline__ void grid_trigger() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

}  // namespace hearth::simt
