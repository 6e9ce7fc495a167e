// What every stage and primitive of a model takes, on every device.
//
// Letters used in shapes everywhere: T tokens in the step, S sequences, H query heads, G KV heads, D head size,
// N outputs, K inputs, B blocks, V vocabulary, I intermediate, E experts, R rows of logits.
//
// A step is ragged: the tokens of its sequences lie one after the other, sequence s owning rows seq_starts[s] to
// seq_starts[s + 1] of T, each with its absolute position. Activations are float32 between stages.
// bytes() counts what must move from or to memory at least once; flops() counts a multiply-add as two.
#pragma once

#include <algorithm>

#include "kernels/view.h"
#include "kernels/weights/weight.h"

namespace hearth {

constexpr int64_t kBlockTokens = 32;  // tokens in a block of the KV cache

/// One layer's pages of the KV cache. Block b, head g, token t of the block: row ((b * G + g) * 32 + t) of D elements.
/// kI8 ("q8"): an element is code * scale, codes from -127 to 127, with a scale for each row: its largest magnitude / 127. A row that is
/// not finite has NaN for its scale; one whose largest magnitude is below 1e-36 is zero.
struct KvPages {
    DType dtype = DType::kBf16;  // kBf16, kF32 or kI8
    void* k = nullptr;           // [B, G, 32, D]
    void* v = nullptr;           // [B, G, 32, D]
    int64_t num_blocks = 0, num_heads = 0, head_dim = 0;
    float* k_scales = nullptr;  // [B, G, 32]; of kI8 alone
    float* v_scales = nullptr;  // likewise

    int64_t offset(int64_t slot, int64_t head) const {  // elements; slot = block * 32 + token
        return ((slot / kBlockTokens * num_heads + head) * kBlockTokens + slot % kBlockTokens) * head_dim;
    }
    int64_t token_bytes() const {  // of k and v of all heads
        return 2 * num_heads * (head_dim * bytes_of(dtype) + (dtype == DType::kI8 ? 4 : 0));
    }
};

// ---------------------------------------------------------------------------------------------------------------- stages

/// y[t] = table[ids[t]].
struct EmbedArgs {
    View<const int32_t, 1> ids;  // [T], each in [0, V)
    Weight table;                // [V, K], any layout
    View<float, 2> y;            // [T, K]

    int64_t bytes() const { return y.size() * 6; }
    int64_t flops() const { return 0; }
};

/// norm -> q, k, v projection (+ bias) -> norm of each q and k head (where given) -> rotary embedding -> k, v into the cache.
struct QkvArgs {
    View<const float, 2> x;            // [T, K]
    View<const float, 1> norm_weight;  // [K]
    float eps = 1e-5f;
    Weight w;                          // [(H + 2G) * D, K]: rows of q, then k, then v
    View<const float, 1> bias;         // [(H + 2G) * D], or empty
    View<const float, 1> q_norm;       // [D], or empty
    View<const float, 1> k_norm;       // [D], or empty
    View<const int32_t, 1> positions;  // [T]
    View<const float, 2> rope;         // [P, D]: cos of the D/2 pairs, then sin; positions < P
    View<const int32_t, 1> slots;      // [T]: where the token's k and v go, or -1: see RopeAppendArgs
    KvPages cache;
    int64_t num_heads = 0;  // H
    View<float, 2> q;       // [T, H * D]

    int64_t bytes() const { return w.bytes + 4 * (x.size() + q.size()) + x.extent[0] * cache.token_bytes(); }
    int64_t flops() const { return 2 * x.extent[0] * w.n * w.k; }
};

/// Causal softmax attention over the paged cache, grouped heads, optional sliding window. A stage and a primitive at once.
/// Query t of sequence s sees keys of positions max(0, p - window + 1) to p, p = positions[t]; their k and v are in the cache.
/// Entries of block_tables for blocks that lie wholly before the window of a sequence's first query in the step, or wholly behind its last
/// one, may be any number: such pages may have been given back, and no variant looks at them.
struct AttentionArgs {
    View<const float, 2> q;  // [T, H * D]
    KvPages cache;
    View<const int32_t, 1> positions;     // [T], rising by one within a sequence
    View<const int32_t, 1> seq_starts;    // [S + 1]
    View<const int32_t, 2> block_tables;  // [S, B]: block of positions 32 b to 32 b + 31
    int64_t num_heads = 0;                // H
    int64_t window = 0;                   // 0: none
    float scale = 1;                      // of q.k
    View<float, 2> y;                     // [T, H * D]

    int64_t num_seqs() const { return seq_starts.extent[0] - 1; }
    int64_t keys_of(int64_t position) const { return window > 0 ? std::min<int64_t>(window, position + 1) : position + 1; }
    int64_t bytes() const {  // each sequence's keys once
        int64_t keys = 0;
        for (int64_t s = 0; s < num_seqs(); ++s) keys += positions(seq_starts(s + 1) - 1) + 1;
        return 4 * (q.size() + y.size()) + keys * cache.token_bytes();
    }
    int64_t flops() const {
        int64_t pairs = 0;
        for (int64_t t = 0; t < q.extent[0]; ++t) pairs += keys_of(positions(t));
        return 4 * pairs * num_heads * cache.head_dim;
    }
};

/// y += x * w^T (+ bias): the way back into the residual stream.
struct ProjectArgs {
    View<const float, 2> x;     // [T, K]
    Weight w;                   // [N, K]
    View<const float, 1> bias;  // [N], or empty
    View<float, 2> y;           // [T, N], read and written

    int64_t bytes() const { return w.bytes + 4 * (x.size() + 2 * y.size()); }
    int64_t flops() const { return 2 * x.extent[0] * w.n * w.k; }
};

/// y = silu(norm(x) * gate^T) * (norm(x) * up^T), biases where given.
struct GateUpArgs {
    View<const float, 2> x;            // [T, K]
    View<const float, 1> norm_weight;  // [K]
    float eps = 1e-5f;
    Weight gate, up;                          // [I, K] each, of one format and layout
    View<const float, 1> gate_bias, up_bias;  // [I], or both empty
    View<float, 2> y;                         // [T, I]

    int64_t bytes() const { return gate.bytes + up.bytes + 4 * (x.size() + y.size()); }
    int64_t flops() const { return 4 * x.extent[0] * gate.n * gate.k; }
};

/// A mixture of experts: route each token to its top_k experts by softmax, sum their gated outputs into x.
struct ExpertsArgs {
    View<float, 2> x;                  // [T, K], read and written
    View<const float, 1> norm_weight;  // [K]
    float eps = 1e-5f;
    Weight router;                   // [E, K]
    View<const Weight, 1> gate, up;  // [E] of [I, K]
    View<const Weight, 1> down;      // [E] of [K, I]
    int64_t top_k = 2;
    bool renormalize = true;  // the chosen probabilities sum to one (Mixtral)

    int64_t bytes() const {  // at most every expert once, at least the chosen ones
        const int64_t experts = std::min(gate.extent[0], x.extent[0] * top_k);
        return router.bytes + experts * (gate(0).bytes + up(0).bytes + down(0).bytes) + 8 * x.size();
    }
    int64_t flops() const { return x.extent[0] * (2 * router.n * router.k + top_k * 6 * gate(0).n * gate(0).k); }
};

/// Logits of the rows asked for: norm(x[rows]) * w^T.
struct HeadArgs {
    View<const float, 2> x;            // [T, K]
    View<const int32_t, 1> rows;       // [R], indices into T
    View<const float, 1> norm_weight;  // [K]
    float eps = 1e-5f;
    Weight w;               // [V, K]
    View<float, 2> logits;  // [R, V]

    int64_t bytes() const { return w.bytes + 4 * (rows.size() * x.extent[1] + logits.size()); }
    int64_t flops() const { return 2 * rows.size() * w.n * w.k; }
};

// ------------------------------------------------------------------------------------------------------------ primitives

/// y = x * w^T (+ bias) (+ residual); with `up`: y = silu(x * w^T + bias) * (x * up^T + up_bias).
struct MatmulArgs {
    View<const float, 2> x;              // [T, K]
    Weight w;                            // [N, K]
    Weight up;                           // [N, K] like w, or none
    View<const float, 1> bias, up_bias;  // [N], or empty
    View<const float, 2> residual;       // [T, N], or empty; may be y. Not with up.
    View<float, 2> y;                    // [T, N]

    int64_t bytes() const { return w.bytes + up.bytes + 4 * (x.size() + y.size() + residual.size()); }
    int64_t flops() const { return 2 * x.extent[0] * (w.n * w.k + up.n * up.k); }
};

/// y = x / sqrt(mean(x^2) + eps) * weight, each row by itself. Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
/// `y` may be `x`.
struct NormArgs {
    View<const float, 2> x;       // [T, K]
    View<const float, 1> weight;  // [K]
    float eps = 1e-5f;
    View<float, 2> y;  // [T, K]

    int64_t bytes() const { return (x.size() + y.size() + weight.size()) * int64_t{sizeof(float)}; }
    int64_t flops() const { return 4 * x.size(); }
};

/// Norm of each q and k head (where given), rotary embedding (pairs half a head apart: Su et al., "RoFormer", 2021, in the layout of
/// Hugging Face), k and v into the cache. A slot of -1 says that the token's k and v are in the cache already: its q comes out as ever, and
/// no page is written for it, so that a sequence may compute a token again whose page others read at the same time.
struct RopeAppendArgs {
    View<const float, 2> qkv;             // [T, (H + 2G) * D]
    View<const float, 1> q_norm, k_norm;  // [D], or empty
    float eps = 1e-5f;
    View<const int32_t, 1> positions, slots;  // [T]; a slot: block * 32 + token in the block, or -1
    View<const float, 2> rope;                // [P, D]: cos of the D/2 pairs, then sin
    KvPages cache;
    int64_t num_heads = 0;  // H
    View<float, 2> q;       // [T, H * D]

    int64_t bytes() const { return 4 * (qkv.size() + q.size()) + qkv.extent[0] * cache.token_bytes(); }
    int64_t flops() const { return 6 * qkv.size(); }
};

/// How one sequence wants its next token drawn. Order: repetition penalty, frequency and presence penalty, bias, mask, temperature, top_k,
/// top_p, min_p; those that transformers has stand as its processors do. The repetition penalty counts prompt and answer, frequency and
/// presence penalty the answer alone, as OpenAI's API and vLLM have it: what a person wrote is no reason for the answer to avoid it.
struct SampleParams {
    float temperature = 1;       // 0: the largest logit, the lowest id among equals
    int32_t top_k = 0;           // 0: off
    float top_p = 1, min_p = 0;  // 1 and 0: off
    float repetition_penalty = 1, frequency_penalty = 0, presence_penalty = 0;
    uint64_t seed = 0;
};

constexpr int64_t kMaxTopLogProbabilities = 20;  // as OpenAI's API has it

/// The next token of each row. The draw is a function of logits, parameters, history, bias, mask, seed and position alone: Philox4x32-10
/// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) with key = seed and counter = position.
///
/// A row has no token, and its id is -1, where a logit is NaN or +infinity, where none is finite, or where bias and mask leave none finite;
/// whatever is given. Its probabilities are 0 then, its log-probabilities NaN, its top ids -1.
///
/// Log-probabilities are the log-softmax of the row's logits as they came, before penalties, bias, mask and temperature, as OpenAI's API,
/// vLLM and llama.cpp have them: -infinity where the logit is. The same logits give the same bits whatever other rows are in the call.
///
/// Ids in history, bias_ids and given are in [0, V), -1 in `given` excepted: the caller has checked them. A token that is given need be
/// allowed neither by bias nor by mask.
struct SampleArgs {
    View<const float, 2> logits;            // [S, V]
    View<const SampleParams, 1> params;     // [S]
    View<const int32_t, 1> history;         // the tokens so far of all rows, one row after the other
    View<const int32_t, 1> history_starts;  // [S + 1], into history
    View<const int32_t, 1> answer_starts;   // [S], into history: where the answer begins in a row's part of it
    View<const int32_t, 1> positions;       // [S]: of the token that is drawn
    View<const int32_t, 1> bias_ids{};      // of all rows, one row after the other; an id that a row has twice gets the sum
    View<const float, 1> bias_values{};     // likewise: what is added to the id's logit, finite, or -infinity, which bans it
    View<const int32_t, 1> bias_starts{};   // [S + 1], into bias_ids; empty: no bias
    View<const uint32_t, 2> masks{};     // [M, ceil(V / 32)]: id i is allowed where bit i % 32 of word i / 32 is set; bits from V on: any
    View<const int32_t, 1> mask_of{};    // [S], into masks, or -1: everything is allowed; empty: in all rows
    View<const int32_t, 1> given{};      // [S]: the token that the row has got and is not drawn, or -1; empty: all are drawn
    View<const int32_t, 1> wanted{};     // [S]: how many of the most likely ids, 0 to n; -1: no log-probability at all; empty: in all rows
    View<int32_t, 1> ids;                // [S], out: the token, or -1
    View<float, 2> probabilities;        // [S, V], out, or empty: the distribution that was, or would have been, drawn from
    View<float, 1> log_probabilities{};  // [S], out: of the token; NaN where not wanted. Empty: none is written
    View<int32_t, 2> top_ids{};  // [S, n], out, n <= 20, or empty: the largest logit first, the lower id first among equals, then -1
    View<float, 2> top_log_probabilities{};  // [S, n], out, or empty like top_ids: theirs, then NaN

    int64_t bytes() const {
        const int64_t words = mask_of.size() * masks.extent[1];
        return 4 * (logits.size() + probabilities.size() + words + 2 * bias_ids.size());
    }
    int64_t flops() const { return 4 * logits.size(); }
};

}  // namespace hearth
