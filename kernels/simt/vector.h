// Plain types that both compilers share: short vectors and cache hints.
#pragma once

#ifdef __CUDACC__
#define HEARTH_DEVICE __host__ __device__ __forceinline__
#else
#define HEARTH_DEVICE inline
#endif

namespace hearth::simt {

/// N elements that move in one access.
template <class T, int N>
struct alignas(sizeof(T) * N) Vec {
    T v[N];

    HEARTH_DEVICE T& operator[](int i) { return v[i]; }
    HEARTH_DEVICE const T& operator[](int i) const { return v[i]; }
};

/// What a load leaves in the caches. PTX ISA, "Cache Eviction Priority Hints".
enum class Cache {
    kDefault,
    kStream,    // read once: not kept in L1, first to leave L2 (weights)
    kKeep,      // last to leave L2 (activations)
    kReadOnly,  // ld.global.nc: only of what no kernel in flight writes
};

}  // namespace hearth::simt
