// Matrix fragments for nvcc: emulator/matrix/fragments.h has the layouts. PTX ISA, "ldmatrix", "mma".
#pragma once

#include "kernels/simt/device/pointers.h"
#include "kernels/simt/numeric.h"

namespace hearth::simt {

template <int kCount, bool kTransposed = false, class T>
__device__ __forceinline__ Vec<uint32_t, kCount> ldmatrix(SharedPtr<T> row) {
    static_assert(kCount == 1 || kCount == 2 || kCount == 4, "ldmatrix loads 1, 2 or 4 matrices");
    const uint32_t at = shared_address(row.raw());
    Vec<uint32_t, kCount> w;
    if constexpr (kCount == 1 && !kTransposed) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(w[0]) : "r"(at) : "memory");
    } else if constexpr (kCount == 1) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];" : "=r"(w[0]) : "r"(at) : "memory");
    } else if constexpr (kCount == 2 && !kTransposed) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];" : "=r"(w[0]), "=r"(w[1]) : "r"(at) : "memory");
    } else if constexpr (kCount == 2) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];" : "=r"(w[0]), "=r"(w[1]) : "r"(at) : "memory");
    } else if constexpr (!kTransposed) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(w[0]), "=r"(w[1]), "=r"(w[2]), "=r"(w[3])
                     : "r"(at)
                     : "memory");
    } else {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(w[0]), "=r"(w[1]), "=r"(w[2]), "=r"(w[3])
                     : "r"(at)
                     : "memory");
    }
    return w;
}

#define HEARTH_MMA(instruction, constraint, c, a, b)                                                      \
    asm volatile(instruction " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                     \
                 : "+" constraint(c[0]), "+" constraint(c[1]), "+" constraint(c[2]), "+" constraint(c[3]) \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

__device__ __forceinline__ void mma_m16n8k16(bf16, Vec<float, 4>& c, const Vec<uint32_t, 4>& a, const Vec<uint32_t, 2>& b) {
    HEARTH_MMA("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", "f", c, a, b);
}
__device__ __forceinline__ void mma_m16n8k16(f16, Vec<float, 4>& c, const Vec<uint32_t, 4>& a, const Vec<uint32_t, 2>& b) {
    HEARTH_MMA("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", "f", c, a, b);
}
__device__ __forceinline__ void mma_m16n8k32(int8_t, Vec<int32_t, 4>& c, const Vec<uint32_t, 4>& a, const Vec<uint32_t, 2>& b) {
    HEARTH_MMA("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", "r", c, a, b);
}
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 890
__device__ __forceinline__ void mma_m16n8k32(e4m3, Vec<float, 4>& c, const Vec<uint32_t, 4>& a, const Vec<uint32_t, 2>& b) {
    HEARTH_MMA("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32", "f", c, a, b);
}
#endif
#undef HEARTH_MMA

}  // namespace hearth::simt
