// hearth bench: tokens a second of a whole model, beside what the machine could do.
#include <algorithm>
#include <array>
#include <ctime>

#include "base/error.h"
#include "base/text.h"
#include "kernels/limits.h"
#include "loaders/config.h"
#include "loaders/model_directory.h"
#include "tools/hearth/bench/measure.h"
#include "tools/hearth/bench/plan.h"
#include "tools/hearth/bench/report.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/support/command_line.h"
#include "tools/hearth/support/model_options.h"
#include "tools/hearth/support/terminal.h"

namespace hearth::tool {

namespace {

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> out{};
    std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return out.data();
}

/// Of the largest weight, for a step of `tokens` tokens.
std::string matmul_row(const Model& model, int64_t tokens) {
    const LayerWeights& layer = model.weights().layers[0];
    const Weight& w = layer.expert_down.empty() ? layer.down.weight : layer.expert_down[0];
    std::vector<float> x(static_cast<size_t>(tokens * w.k)), y(static_cast<size_t>(tokens * w.n));
    const MatmulArgs args{
        .x = {x.data(), {tokens, w.k}}, .w = w, .up = {}, .bias = {}, .up_bias = {}, .residual = {}, .y = {y.data(), {tokens, w.n}}};
    const auto* row = find_variant(model.backend().tables().matmul, args, model.backend().device());
    return row ? std::string(row->name) : "none";
}

class Bench : public Subcommand {
public:
    void declare(Arguments& arguments) override {
        arguments.text("-p,--n-prompt", sweep_.prompts,
                       "Prompt lengths to time; 0: none; default: 512. Lists and ranges: 128,512, 512-2048*2, 0-96+32", "N,...");
        arguments.text("-n,--n-gen", sweep_.generates, "Numbers of tokens to generate one by one; 0: none; default: 128", "N,...");
        arguments.text("--pg", sweep_.pairs, "A prompt and an answer timed together (also -pg)", "PP,TG,...");
        arguments.text("-d,--n-depth", sweep_.depths, "Tokens that lie in the cache before; default: 0", "N,...");
        arguments.text("-b,--batch-size", sweep_.batches, "Tokens a step of a prompt; default: 512", "N,...");
        arguments.text("--parallel,--npl", sweep_.sequences, "Sequences at once; default: 1 (also -npl)", "N,...");
        arguments.integer("-r,--repetitions", run_.repetitions, 1, 1000, "Times each test is run; default: 5");
        arguments.choice("-o,--output", format_, {"md", "csv", "json", "jsonl"}, "md (default), csv, json or jsonl");
        arguments.text("--random-weights", random_config_, "A config.json in place of a model: seeded random weights of its shape", "FILE");
        arguments.choice("--dtype", dtype_, {"bf16", "f16", "f32"}, "Of random weights; default: bf16");
        arguments.flag("--profile", run_.profile, "Where the time goes: a table of the stages (to standard error unless -o md)");
        arguments.flag("--no-warmup", no_warm_up_, "No untimed steps before");
        arguments.flag("--no-limits", no_limits_, "Do not measure what the machine could do, which takes some seconds");
        model_.declare(arguments, false);
    }

    int run() override {
        run_.warm_up = !no_warm_up_;
        run_.cache_dtype = model_.cache_dtype();
        if (!random_config_.empty() && !model_.model.empty()) throw UsageError("expected either --model or --random-weights, found both");
        if (random_config_.empty() && !dtype_.empty()) throw UsageError("--dtype: expected together with --random-weights");
        const std::vector<BenchTest> tests = plan_tests(sweep_);
        const auto model = open(tests);
        BenchRow row = describe(*model);
        write_out(bench_begin(format_));
        bool first = true;
        for (const BenchTest& test : tests) {
            ProgressLine progress(model_.quiet || format_ == "md");
            run_.progress = [&](int64_t done, int64_t total) { progress.report({test.name(), done, total, "runs"}); };
            row.result = run_bench(*model, test, run_);
            row.matmul = matmul_row(*model, test.prompt > 0 ? std::min(test.prompt * test.sequences, test.batch) : test.sequences);
            row.time = utc_now();
            write_out(bench_line(format_, row, first));
            if (run_.profile) format_ == "md" ? write_out(stage_table(row)) : write_note(stage_table(row));
            first = false;
        }
        write_out(bench_end(format_));
        return kExitOk;
    }

private:
    std::shared_ptr<const Model> open(const std::vector<BenchTest>& tests) {
        int64_t context = std::max<int64_t>(128, model_.context);  // room for the greedy hash, and what was asked for
        for (const BenchTest& test : tests) context = std::max(context, test.context());
        ProgressLine progress(model_.quiet);
        LoadOptions options;
        options.max_context = context;
        options.quantize = model_.quantize();
        options.progress = progress.callback();
        const auto backend = make_backend(model_.backend());
        if (!random_config_.empty()) {
            info_ = read_config(random_config_);
            file_ = random_config_;
            return random_model(info_.config,
                                dtype_ == "f32"   ? DType::kF32
                                : dtype_ == "f16" ? DType::kF16
                                                  : DType::kBf16,
                                backend, 1, options);
        }
        const ModelEntry entry = find_model(model_.model);
        info_ = inspect_checkpoint(entry.folder);
        file_ = entry.name;
        if (context > info_.config.longest_context())
            model_.note(cat("the tests are ", context, " tokens long, more than the ", info_.config.longest_context(),
                            " this model was made for: speed is what counts here"));
        return load_model(info_, backend, options);
    }

    BenchRow describe(const Model& model) const {
        BenchRow row;
        row.model_file = file_;
        const Weights& w = model.weights();
        row.parameters = info_.parameters;
        if (row.parameters == 0) {
            row.parameters = w.head.weight.n * w.head.weight.k * (model.config().tied_embeddings ? 1 : 2);
            for (const LayerWeights& layer : w.layers) {
                for (const Weight& m : {layer.qkv.weight, layer.out.weight, layer.gate.weight, layer.up.weight, layer.down.weight})
                    row.parameters += m.n * m.k;
                for (const auto* experts : {&layer.expert_gate, &layer.expert_up, &layer.expert_down}) {
                    for (const Weight& m : *experts) row.parameters += m.n * m.k;
                }
            }
        }
        const Weight& some = w.layers[0].qkv.weight;
        row.model_type = cat(model.config().family, " ", fixed(static_cast<double>(row.parameters) / 1e9, 2), "B ", name_of(some.format));
        row.model_bytes = w.total_bytes();
        row.backend = model.backend().name();
        if (row.backend == "cpu") row.backend += cat(":", name_of(model.backend().device().level));
        row.cpu = model.backend().device().name;
        row.threads = model.backend().device().threads;
        row.cache_dtype = run_.cache_dtype;
        row.greedy_hash = greedy_hash(model, run_.cache_dtype);
        if (!no_limits_) {
            model_.note("measuring what this machine can do at most; --no-limits leaves it out");
            row.limits = measure_limits({.threads = row.threads, .most_buffer_bytes = 0, .repeats = 3});
            model_.note(limits_line(*row.limits));
        }
        return row;
    }

    ModelOptions model_;
    BenchRun run_;
    BenchSweep sweep_;
    std::string format_ = "md", random_config_, dtype_;
    bool no_warm_up_ = false, no_limits_ = false;
    CheckpointInfo info_;
    std::string file_;
};

}  // namespace

std::unique_ptr<Subcommand> make_bench() { return std::make_unique<Bench>(); }

}  // namespace hearth::tool
