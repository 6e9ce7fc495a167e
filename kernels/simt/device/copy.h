// Asynchronous copies and mbarriers for nvcc: emulator/ops/copy.h and mbarrier.h say what they mean. PTX ISA, "cp.async", "mbarrier",
// "cp.async.bulk", "fence.mbarrier_init".
#pragma once

#include "kernels/simt/device/pointers.h"

namespace hearth::simt {

template <int kBytes, class T>
__device__ __forceinline__ void cp_async(SharedPtr<T> to, GlobalPtr<const T> from, int source_bytes = kBytes) {
    static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16, "cp.async copies 4, 8 or 16 bytes");
    if constexpr (kBytes == 16) {
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to.raw())), "l"(from.raw()), "r"(source_bytes)
                     : "memory");
    } else {
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(to.raw())), "l"(from.raw()), "n"(kBytes),
                     "r"(source_bytes)
                     : "memory");
    }
}
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kLeft>
__device__ __forceinline__ void cp_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory");
}

struct alignas(8) MBarrierWord {
    uint64_t opaque;
};

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900

__device__ __forceinline__ void mbarrier_init(SharedPtr<MBarrierWord> at, unsigned count) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(at.raw())), "r"(count) : "memory");
}
/// Both fences: of the init itself, and between ordinary stores and the unit that copies.
__device__ __forceinline__ void fence_mbarrier_init() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
__device__ __forceinline__ void mbarrier_arrive(SharedPtr<MBarrierWord> at) {
    asm volatile("{ .reg .b64 state; mbarrier.arrive.shared::cta.b64 state, [%0]; }" ::"r"(shared_address(at.raw())) : "memory");
}
__device__ __forceinline__ void mbarrier_arrive_expect(SharedPtr<MBarrierWord> at, uint32_t bytes) {
    asm volatile("{ .reg .b64 state; mbarrier.arrive.expect_tx.shared::cta.b64 state, [%0], %1; }" ::"r"(shared_address(at.raw())),
                 "r"(bytes)
                 : "memory");
}
__device__ __forceinline__ void mbarrier_wait(SharedPtr<MBarrierWord> at, unsigned parity) {
    uint32_t done = 0;
    while (done == 0) {
        asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
                     : "=r"(done)
                     : "r"(shared_address(at.raw())), "r"(parity)
                     : "memory");
    }
}
template <class T>
__device__ __forceinline__ void bulk_load(SharedPtr<T> to, GlobalPtr<const T> from, uint32_t bytes, SharedPtr<MBarrierWord> on) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(shared_address(to.raw())),
                 "l"(from.raw()), "r"(bytes), "r"(shared_address(on.raw()))
                 : "memory");
}

#endif

}  // namespace hearth::simt
