#include "tools/hearth/perplexity/scoring.h"

#include <algorithm>
#include <chrono>

#include "base/checked.h"

namespace hearth::tool {

namespace {

constexpr int64_t kChunk = 512;  // tokens a step

/// Adds what a window moves and computes at the very least: each step reads the weights once. The head runs for what is scored.
void add_work(const Model& model, int64_t length, int64_t scored, Tally& tally) {
    const ModelConfig& c = model.config();
    const Weights& weights = model.weights();
    const auto size = [](const Weight& w) { return static_cast<double>(w.n) * static_cast<double>(w.k); };
    double per_token = 0;
    for (const LayerWeights& layer : weights.layers) {
        per_token += size(layer.qkv.weight) + size(layer.out.weight);
        if (c.experts > 0) {
            const double expert = size(layer.expert_gate[0]) + size(layer.expert_up[0]) + size(layer.expert_down[0]);
            per_token += size(layer.router.weight) + static_cast<double>(c.experts_per_token) * expert;
        } else {
            per_token += size(layer.gate.weight) + size(layer.up.weight) + size(layer.down.weight);
        }
    }
    const double tokens = static_cast<double>(length);
    const double pairs = tokens * (tokens + 1) / 2 * static_cast<double>(c.layers);  // windows of attention are left out of account
    tally.flops += 2 * per_token * tokens + 2 * size(weights.head.weight) * static_cast<double>(scored) +
                   4 * pairs * static_cast<double>(c.heads * c.head_dim);
    const int64_t head = weights.head.weight.bytes, lookup = c.tied_embeddings ? 0 : weights.embed.weight.bytes;
    tally.bytes += static_cast<double>(ceil_div(length, kChunk)) * static_cast<double>(weights.total_bytes() - lookup - head) +
                   static_cast<double>(ceil_div(scored, kChunk)) * static_cast<double>(head);
}

}  // namespace

int64_t Windows::scored(int64_t count) const {
    int64_t out = 0;
    for (int64_t begin = 0, done = 1; done < count; begin += stride) {
        const int64_t end = std::min(begin + context, count);
        out += std::max<int64_t>(0, end - begin - from(begin, done));
        done = end;
    }
    return out;
}

Tally score_text(const Model& model, std::span<const int32_t> tokens, const Windows& windows, const ScoringHooks& hooks) {
    const auto count = static_cast<int64_t>(tokens.size());
    const auto start = std::chrono::steady_clock::now();
    Tally tally;
    for (int64_t begin = 0, done = 1; done < count; begin += windows.stride) {
        const int64_t end = std::min(begin + windows.context, count);
        ScoreOptions options;
        options.chunk = kChunk;
        options.cache_dtype = hooks.cache_dtype;
        options.from = windows.from(begin, done);
        options.profile = hooks.profile;
        if (hooks.rows) options.rows = [&](const ScoredRows& rows) { hooks.rows({rows.first + begin, rows.expected}); };
        const auto values = log_probabilities(model, tokens.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)), options);
        for (const float value : values) tally.nll -= value;
        tally.scored += std::ssize(values);
        ++tally.windows;
        tally.computed += end - begin - 1;
        add_work(model, end - begin - 1, std::ssize(values), tally);
        tally.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        done = end;
        if (hooks.progress) hooks.progress(done, tally);
    }
    return tally;
}

}  // namespace hearth::tool
