#include <algorithm>
#include <cmath>

#include "kernels/reference/math.h"
#include "kernels/reference/reference.h"

namespace hearth {
namespace {

/// out = head (normed where `norm` is given) turned by the angles of `rope`: cos of the D/2 pairs, then sin.
void rotate(const float* head, View<const float, 1> norm, float eps, const float* rope, int64_t d, float* out) {
    for (int64_t i = 0; i < d; ++i) out[i] = head[i];
    if (norm.data) reference::norm_row(out, norm, eps, d, out);
    const int64_t half = d / 2;
    for (int64_t i = 0; i < half; ++i) {
        const float a = out[i], b = out[i + half], cosine = rope[i], sine = rope[i + half];
        out[i] = a * cosine - b * sine;
        out[i + half] = b * cosine + a * sine;
    }
}

/// Codes and scale of a row of a cache of kI8.
void quantize(const float* x, int64_t d, int8_t* codes, float* scale) {
    float largest = 0;
    bool finite = true;
    for (int64_t i = 0; i < d; ++i) {
        finite = finite && std::isfinite(x[i]);
        largest = std::max(largest, std::abs(x[i]));
    }
    const bool codable = finite && largest >= 1e-36f;
    const float inverse = codable ? 127 / largest : 0;
    *scale = codable ? largest / 127 : finite ? 0 : NAN;
    for (int64_t i = 0; i < d; ++i) codes[i] = codable ? static_cast<int8_t>(std::nearbyint(x[i] * inverse)) : int8_t{0};
}

void store(const KvPages& cache, void* pages, float* scales, int64_t at, const float* x) {
    const int64_t d = cache.head_dim;
    if (cache.dtype == DType::kI8) return quantize(x, d, static_cast<int8_t*>(pages) + at, scales + at / d);
    for (int64_t i = 0; i < d; ++i) {
        if (cache.dtype == DType::kBf16) {
            static_cast<Bf16*>(pages)[at + i] = to_bf16(x[i]);
        } else {
            static_cast<float*>(pages)[at + i] = x[i];
        }
    }
}

void run(const RopeAppendArgs& a, Stream&) noexcept {
    const int64_t d = a.cache.head_dim, heads = a.num_heads, groups = a.cache.num_heads;
    for (int64_t t = 0; t < a.qkv.extent[0]; ++t) {
        const float* row = a.qkv.row(t);
        const float* rope = a.rope.row(a.positions(t));
        for (int64_t h = 0; h < heads; ++h) rotate(row + h * d, a.q_norm, a.eps, rope, d, a.q.row(t) + h * d);
        if (a.slots(t) < 0) continue;  // in the cache already
        for (int64_t g = 0; g < groups; ++g) {
            float key[512];
            rotate(row + (heads + g) * d, a.k_norm, a.eps, rope, d, key);
            const int64_t at = a.cache.offset(a.slots(t), g);
            store(a.cache, a.cache.k, a.cache.k_scales, at, key);
            store(a.cache, a.cache.v, a.cache.v_scales, at, row + (heads + groups + g) * d);
        }
    }
}

bool supports(const RopeAppendArgs& a, const Device&) { return a.cache.head_dim <= 512; }

}  // namespace

const Variant<RopeAppendArgs> kRopeAppendReference{"rope_append/reference", supports,
                                                   [](const RopeAppendArgs&, const Device&) -> size_t { return 0; }, run};

}  // namespace hearth
