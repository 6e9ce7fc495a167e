// What every benchmark of a variant shares: machine and limits, checking against the reference, counters.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "kernels/backend.h"
#include "kernels/limits.h"

namespace hearth::perf {

/// Sizes of a model's layer, in the letters of kernels/ops.h.
struct ModelShape {
    const char* name;
    const char* like;  // a model of these sizes
    int64_t hidden, intermediate, heads, groups, head_dim, vocab;
};

constexpr ModelShape kModels[] = {
    {.name = "1b",
     .like = "TinyLlama-1.1B",
     .hidden = 2048,
     .intermediate = 5632,
     .heads = 32,
     .groups = 4,
     .head_dim = 64,
     .vocab = 32000},
    {.name = "7b", .like = "Llama-2-7B", .hidden = 4096, .intermediate = 11008, .heads = 32, .groups = 32, .head_dim = 128, .vocab = 32000},
    {.name = "8b",
     .like = "Llama-3.1-8B",
     .hidden = 4096,
     .intermediate = 14336,
     .heads = 32,
     .groups = 8,
     .head_dim = 128,
     .vocab = 128256},
};

/// A layer's cache of `blocks` blocks, whose keys and values lie at k and v.
inline KvPages pages_of(const ModelShape& m, DType type, void* k, void* v, int64_t blocks) {
    return {.dtype = type,
            .k = k,
            .v = v,
            .num_blocks = blocks,
            .num_heads = m.groups,
            .head_dim = m.head_dim,
            .k_scales = nullptr,
            .v_scales = nullptr};
}

/// What is timed: arguments of one variant, and what it writes for each token.
template <class Args>
class Case {
public:
    virtual ~Case() = default;
    virtual const Args& next() = 0;                      // the arguments, with the next copy of what comes from memory
    virtual Args only(int64_t token) = 0;                // the same for one token
    virtual std::span<float> output(int64_t token) = 0;  // that the variant writes, or adds to
    virtual int64_t tokens() const = 0;
    virtual double bytes_from_memory() const = 0;  // a run that finds nothing in a cache: weights and keys, not inputs
};

/// The machine, and the case that was timed last: Google Benchmark calls a function several times until it runs long enough, and making a
/// case takes longer than timing it.
struct Bench {
    std::shared_ptr<const Backend> backend, reference;
    std::unique_ptr<Stream> stream;
    Limits limits;
    std::string made_name;
    std::shared_ptr<void> made;
    bool with_onednn = false;

    /// Bytes over which weights and caches rotate to be cold: four times the last cache, but no more than 2 GiB and a quarter of the
    /// memory.
    int64_t cold_bytes() const;
    /// Counters of one run that took `seconds`. A share above 1 is no share: the label of the benchmark says so in its place.
    void count(benchmark::State& state, std::string_view variant, double bytes, double flops, double seconds, bool cold) const;
};

/// Compares what `variant` writes for the first and the last token with the reference; "" or what is wrong.
template <class Args>
std::string difference(Bench& bench, const Variant<Args>& variant, const Variant<Args>& reference, Case<Args>& test, const Args& args);

/// Registers the benchmark "NAME OF VARIANT/NAME" of one variant, which outlives it; `reference` says what is right.
template <class Args>
void add_variant(Bench& bench, const Variant<Args>& variant, const Variant<Args>& reference, const std::string& name, bool cold,
                 std::function<std::shared_ptr<Case<Args>>()> make);

/// Registers a benchmark for each variant of `table` that supports `shape` (whose data need not be there), as "matmul/q_amx/NAME".
template <class Args>
void add(Bench& bench, std::span<const Variant<Args>> Tables::*table, const Args& shape, const std::string& name, bool cold,
         std::function<std::shared_ptr<Case<Args>>()> make);

/// Random numbers, never zeros: some units are faster on those. bf16: of either sign, around 0.01.
void fill(float* out, int64_t count, uint32_t seed);
void fill(uint16_t* out, int64_t count, uint32_t seed);

// The benchmarks, one function for each idea.
void add_matmuls(Bench& bench, const ModelShape& model);
void add_stages(Bench& bench, const ModelShape& model);
void add_attention(Bench& bench, const ModelShape& model);
void add_small_stages(Bench& bench, const ModelShape& model);

}  // namespace hearth::perf

#include "perf/kernels/bench_inl.h"
