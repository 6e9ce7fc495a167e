// Options that several subcommands share: which model, how it runs, how it speaks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "chat/loaded_model.h"

namespace hearth::tool {

class Arguments;
class Interrupts;

/// --model, --context, --threads, --device, --order, --quant, --keep, --cache, --chat-template, --quiet; HEARTH_FORCE.
struct ModelOptions {
    std::string model, device = "cpu", order = "fixed", chat_template, quant, keep, cache = "bf16";
    std::string draft;
    int64_t context = 0, threads = 0;
    int64_t memory = 0, parallel = 0;  // 0: not given
    bool quiet = false;
    bool profile = false;                                           // declared by the subcommands that print it
    std::string default_context = "the model's, as memory allows";  // for --help
    bool sweeps = false;  // the subcommand declares --model, --threads and --cache itself, as lists, and has no --context

    /// Options that make no sense for a subcommand are left out by it.
    void declare(Arguments& arguments, bool with_template = true);

    /// --memory and --draft, for subcommands that answer; with `several` (models at once) --parallel too.
    void declare_memory(Arguments& arguments, bool several);

    BackendOptions backend() const;

    DType cache_dtype() const;

    /// Throws Error for rules that cannot be read, UsageError for --keep without --quant.
    QuantizeOptions quantize() const;

    /// For LoadedModel::open and Server: notices go to standard error.
    OpenOptions open_options() const;

    /// Opens the model under a progress line, which ends before this returns. `interrupts` may cancel it.
    std::shared_ptr<LoadedModel> open(Interrupts* interrupts) const;

    void note(const std::string& line) const;  // to standard error, unless --quiet
};

/// --temperature, --top-k, --top-p, --min-p, --repetition-penalty, --seed, --max-tokens.
struct SamplingOptions {
    std::optional<float> temperature, top_p, min_p, repetition_penalty;
    std::optional<int64_t> top_k;
    std::optional<uint64_t> seed;
    int64_t max_tokens = -1;

    void declare(Arguments& arguments);

    /// `defaults` with what was given; without --seed a random one.
    SampleParams apply(SampleParams defaults) const;
};

}  // namespace hearth::tool
