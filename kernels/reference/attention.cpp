#include <cmath>

#include "kernels/reference/reference.h"
#include "kernels/scratch.h"

namespace hearth {
namespace {

float at(const KvPages& cache, const void* pages, const float* scales, int64_t i) {
    if (cache.dtype == DType::kI8) return static_cast<float>(static_cast<const int8_t*>(pages)[i]) * scales[i / cache.head_dim];
    return load_float(pages, cache.dtype, i);
}

/// One query head against keys [first, last] of its sequence.
void attend(const AttentionArgs& a, int64_t seq, const float* q, int64_t group, int64_t first, int64_t last, float* scores, float* y) {
    const int64_t d = a.cache.head_dim;
    const auto offset = [&](int64_t position) {
        return a.cache.offset(int64_t{a.block_tables(seq, position / kBlockTokens)} * kBlockTokens + position % kBlockTokens, group);
    };
    float largest = -INFINITY;
    for (int64_t p = first; p <= last; ++p) {
        const int64_t key = offset(p);
        float dot = 0;
        for (int64_t i = 0; i < d; ++i) dot += q[i] * at(a.cache, a.cache.k, a.cache.k_scales, key + i);
        scores[p - first] = dot * a.scale;
        largest = std::max(largest, scores[p - first]);
    }
    double sum = 0;
    for (int64_t p = first; p <= last; ++p) sum += scores[p - first] = std::exp(scores[p - first] - largest);
    for (int64_t i = 0; i < d; ++i) {
        double value = 0;
        for (int64_t p = first; p <= last; ++p)
            value += double{scores[p - first]} * at(a.cache, a.cache.v, a.cache.v_scales, offset(p) + i);
        y[i] = static_cast<float>(value / sum);
    }
}

void run(const AttentionArgs& a, Stream& stream) noexcept {
    Scratch scratch(stream);
    float* scores = scratch.take<float>(a.block_tables.extent[1] * kBlockTokens);
    const int64_t d = a.cache.head_dim, group_size = a.num_heads / a.cache.num_heads;
    for (int64_t s = 0; s < a.num_seqs(); ++s) {
        for (int64_t t = a.seq_starts(s); t < a.seq_starts(s + 1); ++t) {
            const int64_t last = a.positions(t), first = last + 1 - a.keys_of(last);
            for (int64_t h = 0; h < a.num_heads; ++h)
                attend(a, s, a.q.row(t) + h * d, h / group_size, first, last, scores, a.y.row(t) + h * d);
        }
    }
}

size_t workspace(const AttentionArgs& a, const Device&) { return scratch_bytes<float>(a.block_tables.extent[1] * kBlockTokens); }

}  // namespace

const Variant<AttentionArgs> kAttentionReference{"attention/reference", [](const AttentionArgs&, const Device&) { return true; }, workspace,
                                                 run};

}  // namespace hearth
