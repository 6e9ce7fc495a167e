#include "tools/hearth/bench/habits.h"

#include <algorithm>

#include "base/text.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"

namespace hearth::tool {

namespace {

struct Habit {
    const char* names;
    bool with_value;
    const char* note;
};

constexpr Habit kWithoutEffect[] = {
    {"--ngl,--n-gpu-layers", true, "no effect: there is no GPU here, all layers run on the CPU"},
    {"--fa,--flash-attn", true, "no effect: attention always runs without writing its scores to memory"},
    {"--mmp,--mmap", true, "no effect: weights are packed into memory of their own, never used from the file"},
    {"--sm,--split-mode", true, "no effect: there is one device"},
    {"--mg,--main-gpu", true, "no effect: there is no GPU here"},
    {"--ts,--tensor-split", true, "no effect: there is one device"},
    {"--nkvo,--no-kv-offload", true, "no effect: the KV cache is in the host's memory"},
    {"--numa", true, "no effect: threads and memory stay where the system puts them"},
    {"--prio", true, "no effect: the priority is the one that the program was started with"},
    {"--poll", true, "no effect: threads wait as the thread pool decides"},
    {"--embd,--embeddings", true, "no effect: logits are computed, no embeddings"},
    {"--progress", false, "no effect: progress is shown anyway, unless --quiet"},
};

/// Types of llama.cpp as ours, of a list.
std::string cache_types(const std::string& option, const std::string& text) {
    std::vector<std::string> out;
    for (const std::string& type : split(text, ',')) {
        if (type != "q8_0" && type != "f16" && type != "bf16" && type != "f32")
            throw UsageError(cat(option, ": expected q8_0, f16 (which is bf16 here), bf16 or f32, found \"", printable(type, 60), "\""));
        out.push_back(type == "q8_0" ? "q8" : type == "f16" ? "bf16" : type);
    }
    return join(out, ",");
}

}  // namespace

void LlamaBenchHabits::declare(Arguments& arguments) {
    arguments.list("--ub,--ubatch-size", ubatches_, "llama-bench's name for -b (also -ub)", "N,...");
    arguments.list("--ctk,--cache-type-k", cache_k_, "llama-bench's name for --cache (also -ctk); q8_0 is q8, f16 is bf16", "TYPE,...");
    arguments.list("--ctv,--cache-type-v", cache_v_, "The same: keys and values have one type here (also -ctv)", "TYPE,...");
    for (const Habit& habit : kWithoutEffect) arguments.accepted(habit.names, habit.with_value, notes_, habit.note);
}

void LlamaBenchHabits::apply(BenchSweep& sweep) {
    if (!ubatches_.empty()) {
        if (!sweep.batches.empty()) notes_.push_back("-b: no effect beside -ub, which is the number of tokens a step");
        sweep.batches = ubatches_;
    }
    if (cache_k_.empty() && cache_v_.empty()) return;
    const std::string keys = cache_types("-ctk", cache_k_.empty() ? cache_v_ : cache_k_),
                      values = cache_types("-ctv", cache_v_.empty() ? cache_k_ : cache_v_);
    if (keys != values)
        throw UsageError(
            cat("-ctk, -ctv: keys and values have one type here, found ", printable(cache_k_, 60), " and ", printable(cache_v_, 60)));
    if (!sweep.caches.empty() && sweep.caches != keys) throw UsageError("--cache: expected without -ctk and -ctv, or with the same types");
    sweep.caches = keys;
    if (std::ranges::any_of(split(cat(cache_k_, ",", cache_v_), ','), [](const std::string& type) { return type == "f16"; }))
        notes_.push_back("-ctk, -ctv: f16 is not there, bf16 takes its place");
}

}  // namespace hearth::tool
