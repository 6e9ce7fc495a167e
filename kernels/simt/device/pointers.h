// The pointers of device code for nvcc: a raw pointer behind the names of emulator/memory/pointers.h. PTX ISA, "ld", "st",
// "Cache Eviction Priority Hints".
#pragma once

#include <stdint.h>
#include <string.h>

#include "kernels/simt/vector.h"

namespace hearth::simt {

enum class Space : uint8_t { kGlobal, kShared };

/// The address that instructions of the shared state space take.
__device__ __forceinline__ uint32_t shared_address(const void* pointer) { return static_cast<uint32_t>(__cvta_generic_to_shared(pointer)); }

/// Priorities of L2 are a policy in a register: PTX ISA, "createpolicy". Not volatile, so that one serves all loads of a kernel.
template <Cache kCache>
__device__ __forceinline__ uint64_t l2_policy() {
    uint64_t policy;
    if constexpr (kCache == Cache::kStream) {
        asm("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
    } else {
        asm("createpolicy.fractional.L2::evict_last.b64 %0, 1.0;" : "=l"(policy));
    }
    return policy;
}

template <Cache kCache>
__device__ __forceinline__ uint4 load16_global(const void* p) {
    uint4 v;
    if constexpr (kCache == Cache::kStream) {
        asm volatile("ld.global.L1::no_allocate.L2::cache_hint.v4.u32 {%0,%1,%2,%3}, [%4], %5;"
                     : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                     : "l"(p), "l"(l2_policy<kCache>()));
    } else if constexpr (kCache == Cache::kKeep) {
        asm volatile("ld.global.L1::evict_last.L2::cache_hint.v4.u32 {%0,%1,%2,%3}, [%4], %5;"
                     : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                     : "l"(p), "l"(l2_policy<kCache>())
                     : "memory");
    } else if constexpr (kCache == Cache::kReadOnly) {
        asm volatile("ld.global.nc.v4.u32 {%0,%1,%2,%3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(p));
    } else {
        asm volatile("ld.global.v4.u32 {%0,%1,%2,%3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(p) : "memory");
    }
    return v;
}

template <class T>
struct RemoveConst {
    using Type = T;
};
template <class T>
struct RemoveConst<const T> {
    using Type = T;
};

template <class U, class T>
struct IfConstOf {};
template <class U>
struct IfConstOf<U, const U> {
    using Type = void;
};

template <class T, Space kSpace>
class Pointer {
    using Value = typename RemoveConst<T>::Type;

public:
    Pointer() = default;
    __host__ __device__ __forceinline__ explicit Pointer(T* raw) : raw_(raw) {}
    /// To a pointer to const.
    template <class U, class = typename IfConstOf<U, T>::Type>
    __host__ __device__ __forceinline__ Pointer(const Pointer<U, kSpace>& other) : raw_(other.raw()) {}

    __host__ __device__ __forceinline__ explicit operator bool() const { return raw_ != nullptr; }
    __host__ __device__ __forceinline__ Pointer operator+(long long n) const { return Pointer(raw_ + n); }
    __host__ __device__ __forceinline__ Pointer operator-(long long n) const { return Pointer(raw_ - n); }
    __host__ __device__ __forceinline__ Pointer& operator+=(long long n) {
        raw_ += n;
        return *this;
    }
    template <class U>
    __host__ __device__ __forceinline__ Pointer<U, kSpace> as() const {
        return Pointer<U, kSpace>(reinterpret_cast<U*>(raw_));
    }

    __device__ __forceinline__ Value operator[](long long i) const { return raw_[i]; }
    __device__ __forceinline__ Value load(long long i = 0) const { return raw_[i]; }
    __device__ __forceinline__ void store(long long i, Value value) const { raw_[i] = value; }

    template <int N, Cache kCache = Cache::kDefault>
    __device__ __forceinline__ Vec<Value, N> load_vector(long long i = 0) const {
        using V = Vec<Value, N>;
        static_assert(kCache == Cache::kDefault || sizeof(V) == 16, "cache hints are for loads of 16 bytes");
        if constexpr (kSpace == Space::kGlobal && sizeof(V) == 16) {
            const uint4 words = load16_global<kCache>(raw_ + i);
            V value;
            memcpy(&value, &words, 16);
            return value;
        } else {
            return *reinterpret_cast<const V*>(raw_ + i);
        }
    }
    template <int N>
    __device__ __forceinline__ void store_vector(long long i, Vec<Value, N> value) const {
        *reinterpret_cast<Vec<Value, N>*>(raw_ + i) = value;
    }

    __host__ __device__ __forceinline__ T* raw() const { return raw_; }  // for this folder and the host, not for kernels

private:
    T* raw_ = nullptr;
};

template <class T>
using GlobalPtr = Pointer<T, Space::kGlobal>;
template <class T>
using SharedPtr = Pointer<T, Space::kShared>;

/// As emulator/ops/shared.h: all threads take the same arrays in the same order.
class SharedArena {
public:
    template <class T, unsigned kAlign = 16>
    __device__ __forceinline__ SharedPtr<T> take(long long count) {
        extern __shared__ __align__(1024) unsigned char hearth_shared[];
        constexpr unsigned kTo = kAlign < alignof(T) ? alignof(T) : kAlign;
        used_ = (used_ + kTo - 1) / kTo * kTo;
        T* at = reinterpret_cast<T*>(hearth_shared + used_);
        used_ += static_cast<unsigned>(count * sizeof(T));
        return SharedPtr<T>(at);
    }

private:
    unsigned used_ = 0;
};

}  // namespace hearth::simt
