// Head norms, rotary embedding, and k and v into the cache, one head at a time.
//
// Traffic: qkv once, q once, the token's k and v once; the angles of a position stay in L1 for all heads. Bound: L2 bandwidth.
#pragma once

#include <type_traits>

#include "kernels/cpu/per_token/codes.h"
#include "kernels/cpu/per_token/norm.h"

namespace hearth::cpu {

constexpr int64_t kMostHeadDim = 512;

/// out = x, normed where `weight` is given, turned by the angles of `rope`: cos of the d/2 pairs, then sin. T: float or Bf16.
template <class V, class T>
void rotate_head(const float* x, const float* weight, float eps, const float* rope, int64_t d, T* out) {
    alignas(64) float normed[kMostHeadDim];
    if (weight) {
        scale_row<V>(x, weight, norm_scale<V>(x, d, eps), d, normed);
        x = normed;
    }
    const int64_t half = d / 2;
    for (int64_t i = 0; i < half; i += V::kLanes) {
        const int64_t n = std::min<int64_t>(V::kLanes, half - i);
        const auto a = V::load(x + i, n), b = V::load(x + half + i, n), cosine = V::load(rope + i, n), sine = V::load(rope + half + i, n);
        V::store(out + i, V::fnma(b, sine, V::mul(a, cosine)), n);
        V::store(out + half + i, V::fma(a, sine, V::mul(b, cosine)), n);
    }
}

template <class V, class T>
void copy_head(const float* x, int64_t d, T* out) {
    for (int64_t i = 0; i < d; i += V::kLanes) V::store(out + i, V::load(x + i, d - i), d - i);
}

template <class V, class T>
void append_row(const float* x, int64_t d, int64_t at, void* pages, float* scales) {
    if constexpr (std::is_same_v<T, int8_t>) {
        quantize_head<V>(x, d, static_cast<int8_t*>(pages) + at, scales + at / d);
    } else {
        copy_head<V>(x, d, static_cast<T*>(pages) + at);
    }
}

template <class V, class T>
void append_token(const RopeAppendArgs& a, int64_t t) {
    const int64_t d = a.cache.head_dim, heads = a.num_heads, groups = a.cache.num_heads;
    const float *row = a.qkv.row(t), *rope = a.rope.row(a.positions.data[t]);
    for (int64_t h = 0; h < heads; ++h) rotate_head<V>(row + h * d, a.q_norm.data, a.eps, rope, d, a.q.row(t) + h * d);
    if (a.slots.data[t] < 0) return;  // in the cache already
    for (int64_t g = 0; g < groups; ++g) {
        const int64_t at = a.cache.offset(a.slots.data[t], g);
        if constexpr (std::is_same_v<T, int8_t>) {
            alignas(64) float key[kMostHeadDim];
            rotate_head<V>(row + (heads + g) * d, a.k_norm.data, a.eps, rope, d, key);
            append_row<V, T>(key, d, at, a.cache.k, a.cache.k_scales);
        } else {
            rotate_head<V>(row + (heads + g) * d, a.k_norm.data, a.eps, rope, d, static_cast<T*>(a.cache.k) + at);
        }
        append_row<V, T>(row + (heads + groups + g) * d, d, at, a.cache.v, a.cache.v_scales);
    }
}

template <class V>
void run_rope_append(const RopeAppendArgs& a, Stream& stream) noexcept {
    share(stream, a.qkv.extent[0], a.qkv.size() / 4, [&](Range rows) {
        for (int64_t t = rows.begin; t < rows.end; ++t) {
            if (a.cache.dtype == DType::kBf16) {
                append_token<V, Bf16>(a, t);
            } else if (a.cache.dtype == DType::kI8) {
                append_token<V, int8_t>(a, t);
            } else {
                append_token<V, float>(a, t);
            }
        }
    });
}

static inline bool rope_append_fits(const RopeAppendArgs& a) {
    const bool cache = a.cache.dtype == DType::kBf16 || a.cache.dtype == DType::kF32 || a.cache.dtype == DType::kI8;
    return cache && a.cache.head_dim <= kMostHeadDim && a.cache.head_dim % 2 == 0 && a.qkv.stride[1] == 1 && a.q.stride[1] == 1 &&
           a.rope.stride[1] == 1;
}

}  // namespace hearth::cpu
