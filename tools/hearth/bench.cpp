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
#include "tools/hearth/bench/report.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/support/command_line.h"
#include "tools/hearth/support/model_options.h"
#include "tools/hearth/support/terminal.h"

namespace hearth::tool {

namespace {

constexpr int64_t kMostTokens = int64_t{1} << 20;

/// "512,1024": whole numbers from `least` to kMostTokens.
std::vector<int64_t> read_list(const std::string& option, const std::string& text, int64_t least) {
    std::vector<int64_t> out;
    for (const std::string& part : split(text, ',')) {
        const auto value = parse_integer(part);
        if (!value || *value < least || *value > kMostTokens) {
            throw UsageError(cat(option, ": expected whole numbers from ", least, " to ", kMostTokens,
                                 " with commas between them, found \"", printable(text, 60), "\""));
        }
        out.push_back(*value);
    }
    return out;
}

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
        arguments.text("-p,--n-prompt", prompts_, "Prompt lengths to time; 0: none; default: 512", "N,...");
        arguments.text("-n,--n-gen", generates_, "Numbers of tokens to generate one by one; 0: none; default: 128", "N,...");
        arguments.text("--pg", pairs_, "A prompt and an answer timed together (also -pg)", "PP,TG");
        arguments.text("-d,--n-depth", depths_, "Tokens that lie in the cache before; default: 0", "N,...");
        arguments.text("-b,--batch-size", batches_, "Tokens a step of a prompt; default: 512", "N,...");
        arguments.text("--parallel,--npl", sequences_, "Sequences at once; default: 1 (also -npl)", "N,...");
        arguments.integer("-r,--repetitions", run_.repetitions, 1, 1000, "Times each test is run; default: 5");
        arguments.choice("-o,--output", format_, {"md", "csv", "json", "jsonl"}, "Default: md");
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
        const std::vector<BenchTest> tests = plan();
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
    std::vector<BenchTest> plan() const {
        std::vector<BenchTest> tests;
        const auto add = [&](BenchTest test) {
            if (test.prompt + test.generate == 0) return;
            for (const int64_t depth : read_list("-d", depths_, 0)) {
                for (const int64_t batch : read_list("-b", batches_, 1)) {
                    for (const int64_t sequences : read_list("--parallel,--npl", sequences_, 1)) {
                        test.depth = depth, test.batch = batch, test.sequences = sequences;
                        tests.push_back(test);
                    }
                }
            }
        };
        for (const int64_t prompt : read_list("-p", prompts_, 0)) add({.prompt = prompt});
        for (const int64_t generate : read_list("-n", generates_, 0)) add({.generate = generate});
        if (!pairs_.empty()) {
            const auto pair = read_list("-pg", pairs_, 0);
            if (pair.size() != 2)
                throw UsageError(
                    cat("-pg: expected a prompt's and an answer's length, as in 512,128; found \"", printable(pairs_, 60), "\""));
            add({.prompt = pair[0], .generate = pair[1]});
        }
        if (tests.empty()) throw UsageError("nothing to time: -p and -n are 0");
        return tests;
    }

    std::shared_ptr<const Model> open(const std::vector<BenchTest>& tests) {
        int64_t context = 128;  // room for the greedy hash
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
        if (context > info_.config.context)
            model_.note(cat("the tests are ", context, " tokens long, more than the ", info_.config.context,
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
    std::string prompts_ = "512", generates_ = "128", pairs_, depths_ = "0", batches_ = "512", sequences_ = "1";
    std::string format_ = "md", random_config_, dtype_ = "bf16";
    bool no_warm_up_ = false, no_limits_ = false;
    CheckpointInfo info_;
    std::string file_;
};

}  // namespace

std::unique_ptr<Subcommand> make_bench() { return std::make_unique<Bench>(); }

}  // namespace hearth::tool
