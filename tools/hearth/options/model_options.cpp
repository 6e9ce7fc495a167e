#include "tools/hearth/options/model_options.h"

#include <cstdlib>
#include <limits>
#include <random>

#include "base/error.h"
#include "base/text.h"
#include "kernels/make_backend.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"
#include "tools/hearth/terminal/interrupts.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {
namespace {

constexpr int64_t kMostParallel = 256;  // as many as the server has connections

}  // namespace

void ModelOptions::declare(Arguments& arguments, bool with_template) {
    arguments.group("Model");
    if (!sweeps) {
        arguments.name("-m,--model", model, "Folder, or name in the model directory; default: Ember, built in", "MODEL");
        arguments.integer("-c,--context", context, 1, int64_t{1} << 30, cat("Longest sequence in tokens; default: ", default_context));
        arguments.integer("-t,--threads", threads, 1, kMaxThreads, "Threads; default: one for each physical core");
    }
    arguments.text("--device", device, "cpu, cpu:LEVEL (see `hearth devices`), reference; default: cpu", "NAME");
    arguments.choice(
        "--order", order, {"fixed", "free"},
        "fixed (default): sums in one order, so that no answer depends on what else runs; today both give the same sums on the CPU");
    arguments.choice("--quant", quant, {"q8", "q4"},
                     "Quantise plain weights while they are loaded; with q4 the embedding and the head are q8");
    arguments.text("--keep", keep, "With --quant: other formats for some, as lm_head=float,embed=q4,layers.0=q8", "NAME=q8|q4|float,...");
    if (!sweeps)
        arguments.choice("--cache", cache, {"bf16", "q8", "f32"}, "Of the KV cache: q8 takes half the memory of bf16; default: bf16");
    if (with_template) {
        arguments.choice(
            "--chat-template", chat_template, builtin_template_names(), "A built-in template in place of the model's: " + [] {
                std::string names;
                for (const auto& name : builtin_template_names()) names += (names.empty() ? "" : ", ") + name;
                return names;
            }());
    }
    arguments.flag("-q,--quiet", quiet, "Nothing on standard error but failures");
    arguments.group("Options");
}

void ModelOptions::declare_memory(Arguments& arguments, bool several) {
    arguments.group("Model");
    arguments.bytes("--memory", memory,
                    several ? "What all models together may take, as 8G; default: 90 % of what the device has"
                            : "What the model may take, as 8G; default: 90 % of what the device has");
    arguments.name("--draft", draft, "A smaller model with the same tokenizer that guesses ahead: answers come sooner and stay the same",
                   "MODEL");
    if (several) arguments.integer("--parallel", parallel, 1, kMostParallel, "Answers at once from each model; more wait; default: 8");
    arguments.group("Options");
}

BackendOptions ModelOptions::backend() const {
    const char* variable = std::getenv("HEARTH_FORCE");
    const std::string forced = variable == nullptr ? "" : variable;
    if (!forced.empty() && forced.find_first_not_of(", \t") == std::string::npos) {
        throw Error(
            ErrorKind::kBadInput,
            cat("HEARTH_FORCE: expected names of kernels with commas between them, as in matmul/fma_avx2,attention/reference; found \"",
                printable(forced, 40), '"'));
    }
    BackendOptions options;
    options.device = device;
    options.threads = static_cast<int>(threads);
    options.fixed_order = order == "fixed";
    options.forced = forced;
    return options;
}

DType ModelOptions::cache_dtype() const { return cache == "q8" ? DType::kI8 : cache == "f32" ? DType::kF32 : DType::kBf16; }

QuantizeOptions ModelOptions::quantize() const {
    QuantizeOptions options;
    if (!keep.empty() && quant.empty()) throw UsageError("--keep: expected together with --quant");
    if (!quant.empty()) options.kind = parse_quant_kind(quant, "--quant");
    options.keep = parse_keep(keep, "--keep");
    return options;
}

OpenOptions ModelOptions::open_options() const {
    OpenOptions options;
    options.model = model;
    options.backend = backend();
    options.load.context = context;
    options.load.cache_dtype = cache_dtype();
    options.load.quantize = quantize();
    options.load.draft = draft;
    options.load.max_sequences = parallel;
    options.memory_bytes = memory;
    options.chat_template = chat_template;
    options.profile = profile;
    options.warning = [](const std::string& line) { write_note(line, Paint::kDim); };
    options.notice = [silent = quiet, say = options.warning](const std::string& line) {
        if (!silent) say(line);
    };
    return options;
}

std::shared_ptr<LoadedModel> ModelOptions::open(Interrupts* interrupts) const {
    ProgressLine progress(quiet, interrupts);
    OpenOptions options = open_options();
    options.progress = progress.callback();
    auto loaded = LoadedModel::open(options);
    if (interrupts != nullptr) interrupts->throw_if_any();
    return loaded;
}

void ModelOptions::note(const std::string& line) const {
    if (!quiet) write_note(line, Paint::kDim);
}

void SamplingOptions::declare(Arguments& arguments) {
    arguments.group(cat("Sampling (defaults: the model's generation_config.json; where it recommends nothing, temperature ",
                        FallbackSampling::kTemperature, ", top-k ", FallbackSampling::kTopK, ", top-p ", FallbackSampling::kTopP,
                        ", min-p ", FallbackSampling::kMinP, ")"));
    arguments.number("--temperature", temperature, 0, 100, "0: always the likeliest token");
    arguments.integer("--top-k", top_k, 0, std::numeric_limits<int32_t>::max(), "Only the K likeliest tokens; 0: all");
    arguments.number("--top-p", top_p, 0, 1, "Only the likeliest tokens that together have this probability; 1: all");
    arguments.number("--min-p", min_p, 0, 1, "Only tokens at least this likely relative to the likeliest; 0: all");
    arguments.number("--repetition-penalty", repetition_penalty, 0.01f, 100, "Above 1: tokens that were there become less likely; 1: off");
    arguments.seed("--seed", seed, "The same seed gives the same answer; default: random");
    arguments.integer("-n,--max-tokens", max_tokens, 1, int64_t{1} << 30,
                      "Longest answer in tokens; default: what the context leaves room for");
    arguments.group("Options");
}

SampleParams SamplingOptions::apply(SampleParams defaults) const {
    defaults.temperature = temperature.value_or(defaults.temperature);
    defaults.top_k = static_cast<int32_t>(top_k.value_or(defaults.top_k));
    defaults.top_p = top_p.value_or(defaults.top_p);
    defaults.min_p = min_p.value_or(defaults.min_p);
    defaults.repetition_penalty = repetition_penalty.value_or(defaults.repetition_penalty);
    if (seed) {
        defaults.seed = *seed;
    } else {
        std::random_device random;
        defaults.seed = static_cast<uint64_t>(random()) << 32 | random();
    }
    return defaults;
}

}  // namespace hearth::tool
