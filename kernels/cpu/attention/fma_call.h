// Attention by FMA for any cache: what the variants of AVX2 and AVX-512 share.
#pragma once

#include "kernels/cpu/attention/call.h"
#include "kernels/cpu/attention/fma_unit.h"

namespace hearth::cpu {

template <class V>
void run_attention(const AttentionArgs& a, Stream& stream) noexcept {
    if (a.cache.dtype == DType::kBf16) {
        AttentionCall<FmaUnit<V, Bf16>>(a, stream).run();
    } else if (a.cache.dtype == DType::kI8) {
        AttentionCall<FmaUnit<V, int8_t>>(a, stream).run();
    } else {
        AttentionCall<FmaUnit<V, float>>(a, stream).run();
    }
}

template <class V>
size_t attention_workspace(const AttentionArgs& a, const Device& device) {
    if (a.cache.dtype == DType::kBf16) return AttentionCall<FmaUnit<V, Bf16>>::workspace(a, device);
    if (a.cache.dtype == DType::kI8) return AttentionCall<FmaUnit<V, int8_t>>::workspace(a, device);
    return AttentionCall<FmaUnit<V, float>>::workspace(a, device);
}

static inline bool attention_fits(const AttentionArgs& a) {
    const bool cache = a.cache.dtype == DType::kBf16 || a.cache.dtype == DType::kF32 || a.cache.dtype == DType::kI8;
    return cache && heads_fit(a);
}

}  // namespace hearth::cpu
