#include "tools/hearth/inspect/kernel_choice.h"

#include <algorithm>

#include "base/text.h"
#include "kernels/rope_append_of.h"
#include "runtime/kv_cache.h"
#include "runtime/planned_step.h"

namespace hearth::tool {

namespace {

/// What stands where a weight's numbers would be; variants look at its alignment and never at what is there.
alignas(64) constexpr std::byte kNoNumbers[64] = {};

std::string describe(const Weight& weight) { return cat(name_of(weight.format), " ", name_of(weight.layout)); }

std::string weights_of(const EmbedArgs& args) { return describe(args.table); }
std::string weights_of(const QkvArgs& args) { return describe(args.w); }
std::string weights_of(const AttentionArgs& args) { return cat(cache_type_name(args.cache.dtype), " cache"); }
std::string weights_of(const ProjectArgs& args) { return describe(args.w); }
std::string weights_of(const GateUpArgs& args) { return describe(args.gate); }
std::string weights_of(const ExpertsArgs& args) { return args.gate.extent[0] > 0 ? describe(args.gate(0)) : ""; }
std::string weights_of(const HeadArgs& args) { return describe(args.w); }
std::string weights_of(const MatmulArgs& args) { return describe(args.w); }
std::string weights_of(const NormArgs&) { return "f32"; }
std::string weights_of(const RopeAppendArgs& args) { return cat(cache_type_name(args.cache.dtype), " cache"); }
std::string weights_of(const SampleArgs&) { return ""; }

/// Notes the variant of every stage that it is shown, and of the primitives below it.
struct Asker {
    const Device& device;
    std::vector<KernelChoice> stages, primitives;
    size_t scratch = 0;

    template <class Args>
    void note(std::vector<KernelChoice>& list, std::span<const Variant<Args>> table, const Args& args, std::string stage) {
        const auto* variant = device.forced.empty() ? find_variant(table, args, device) : &select(table, args, device);
        scratch = std::max(scratch, workspace_of(table, args, device));
        list.push_back({std::move(stage), weights_of(args), variant == nullptr ? "none" : std::string(variant->name), ""});
    }

    void matmul(const char* stage, View<const float, 2> x, const Weight& w, const Weight& up, View<float, 2> y) {
        note(primitives, device.tables->matmul, MatmulArgs{.x = x, .w = w, .up = up, .bias = {}, .up_bias = {}, .residual = {}, .y = y},
             cat("matmul (", stage, ")"));
    }

    void norm(const char* stage, View<const float, 2> x, View<const float, 1> weight, float eps) {
        note(primitives, device.tables->norm, NormArgs{x, weight, eps, {nullptr, x.extent}}, cat("norm (", stage, ")"));
    }

    void stage(std::span<const Variant<EmbedArgs>> Tables::*table, const EmbedArgs& a) { note(stages, device.tables->*table, a, "embed"); }
    void stage(std::span<const Variant<AttentionArgs>> Tables::*table, const AttentionArgs& a) {
        note(stages, device.tables->*table, a, "attention");
    }
    void stage(std::span<const Variant<ExpertsArgs>> Tables::*table, const ExpertsArgs& a) {
        note(stages, device.tables->*table, a, "experts");
        norm("experts", as_const(a.x), a.norm_weight, a.eps);
        matmul("router", as_const(a.x), a.router, {}, {nullptr, {a.x.extent[0], a.router.n}});
    }
    void stage(std::span<const Variant<QkvArgs>> Tables::*table, const QkvArgs& a) {
        note(stages, device.tables->*table, a, "qkv");
        const View<float, 2> y(nullptr, {a.x.extent[0], a.w.n});
        norm("qkv", a.x, a.norm_weight, a.eps);
        matmul("qkv", a.x, a.w, {}, y);
        note(primitives, device.tables->rope_append, rope_append_of(a, as_const(y)), "rope_append");
    }
    void stage(std::span<const Variant<ProjectArgs>> Tables::*table, const ProjectArgs& a) {
        const char* which = stages.back().stage == "attention" ? "out" : "down";
        note(stages, device.tables->*table, a, cat("project (", which, ")"));
        matmul(which, a.x, a.w, {}, a.y);
    }
    void stage(std::span<const Variant<GateUpArgs>> Tables::*table, const GateUpArgs& a) {
        note(stages, device.tables->*table, a, "gate_up");
        norm("gate_up", a.x, a.norm_weight, a.eps);
        matmul("gate, up", a.x, a.gate, a.up, a.y);
    }
    void stage(std::span<const Variant<HeadArgs>> Tables::*table, const HeadArgs& a) {
        note(stages, device.tables->*table, a, "head");
        norm("head", {nullptr, {a.rows.extent[0], a.x.extent[1]}}, a.norm_weight, a.eps);
        matmul("head", {nullptr, {a.rows.extent[0], a.x.extent[1]}}, a.w, {}, a.logits);
        SampleArgs draw;
        draw.logits = as_const(a.logits);
        draw.ids = {nullptr, {a.rows.extent[0]}};
        note(primitives, device.tables->sample, draw, "sample");
    }
    void layer(int64_t) const {}
};

}  // namespace

Weights planned_layers(const CheckpointInfo& info, const Backend& backend, const QuantizeOptions& quantize) {
    return hearth::planned_layers(info, backend, quantize, kNoNumbers);
}

KernelChoices choose_kernels(ModelConfig config, const Weights& planned, const Backend& backend, const EngineOptions& engine) {
    config.layers = 1;  // one layer stands for all
    const auto ask = [&](int64_t tokens) {
        Asker asker{backend.device(), {}, {}, 0};
        PlannedStep(config, tokens, 1, engine.context, engine.cache_dtype).visit(config, planned, asker);
        asker.stages.insert(asker.stages.end(), asker.primitives.begin(), asker.primitives.end());
        return asker;
    };
    const Asker decode = ask(1), prefill = ask(std::min(engine.max_step_tokens, engine.context));
    KernelChoices out{decode.stages, static_cast<int64_t>(std::max(decode.scratch, prefill.scratch))};
    for (size_t i = 0; i < out.choices.size(); ++i) {
        out.choices[i].decode = decode.stages[i].decode;
        out.choices[i].prefill = prefill.stages[i].decode;
    }
    return out;
}

std::string variants_text(const KernelChoices& choices) {
    std::vector<std::string> names;
    for (const KernelChoice& choice : choices.choices) {
        for (const std::string& name : {choice.decode, choice.prefill}) {
            if (std::ranges::find(names, name) == names.end()) names.push_back(name);
        }
    }
    return join(names, ", ");
}

}  // namespace hearth::tool
