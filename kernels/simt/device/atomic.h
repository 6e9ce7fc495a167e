// Atomic operations for nvcc: emulator/ops/atomic.h says what they order. PTX ISA, "atom", "ld.acquire", "st.release".
#pragma once

#include "kernels/simt/device/pointers.h"

namespace hearth::simt {

/// Integers of 4 or 8 bytes.
template <class T>
struct Atomic {
    static_assert(static_cast<T>(1) / 2 == 0, "a sum of floats in the order of arrival differs from run to run");
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "atomic operations are of 4 or 8 bytes");
    static constexpr bool kWide = sizeof(T) == 8;
};

template <class T, Space kSpace>
__device__ __forceinline__ T atomic_add(Pointer<T, kSpace> pointer, long long i, T value) {
    if constexpr (Atomic<T>::kWide) {
        return static_cast<T>(atomicAdd(reinterpret_cast<unsigned long long*>(pointer.raw() + i), static_cast<unsigned long long>(value)));
    } else {
        return static_cast<T>(atomicAdd(reinterpret_cast<unsigned*>(pointer.raw() + i), static_cast<unsigned>(value)));
    }
}

template <class T>
__device__ __forceinline__ T atomic_add_acq_rel(GlobalPtr<T> pointer, long long i, T value) {
    T old;
    if constexpr (Atomic<T>::kWide) {
        asm volatile("atom.acq_rel.gpu.global.add.u64 %0, [%1], %2;" : "=l"(old) : "l"(pointer.raw() + i), "l"(value) : "memory");
    } else {
        asm volatile("atom.acq_rel.gpu.global.add.u32 %0, [%1], %2;" : "=r"(old) : "l"(pointer.raw() + i), "r"(value) : "memory");
    }
    return old;
}

template <class T>
__device__ __forceinline__ void store_release(GlobalPtr<T> pointer, long long i, T value) {
    if constexpr (Atomic<T>::kWide) {
        asm volatile("st.release.gpu.global.u64 [%0], %1;" ::"l"(pointer.raw() + i), "l"(value) : "memory");
    } else {
        asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(pointer.raw() + i), "r"(value) : "memory");
    }
}

template <class T>
__device__ __forceinline__ T load_acquire(GlobalPtr<T> pointer, long long i = 0) {
    T value;
    if constexpr (Atomic<T>::kWide) {
        asm volatile("ld.acquire.gpu.global.u64 %0, [%1];" : "=l"(value) : "l"(pointer.raw() + i) : "memory");
    } else {
        asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(pointer.raw() + i) : "memory");
    }
    return value;
}

template <class T>
__device__ __forceinline__ void wait_at_least(GlobalPtr<T> pointer, long long i, T value) {
    while (load_acquire(pointer, i) < value) __nanosleep(32);
}

}  // namespace hearth::simt
