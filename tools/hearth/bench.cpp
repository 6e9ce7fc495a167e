// hearth bench: tokens a second of a whole model, beside what the machine could do.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "kernels/limits.h"
#include "loaders/config/config.h"
#include "loaders/model_directory.h"
#include "loaders/random_model.h"
#include "tools/hearth/bench/facts.h"
#include "tools/hearth/bench/habits.h"
#include "tools/hearth/bench/measure.h"
#include "tools/hearth/bench/plan.h"
#include "tools/hearth/bench/report.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"
#include "tools/hearth/options/model_options.h"
#include "tools/hearth/support/weight_formats.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

class Bench : public Subcommand {
public:
    void declare(Arguments& arguments) override {
        arguments.list("-p,--n-prompt", sweep_.prompts,
                       "Prompt lengths to time; 0: none; default: 512. Lists and ranges: 128,512, 512-2048*2, 0-96+32", "N,...");
        arguments.list("-n,--n-gen", sweep_.generates, "Numbers of tokens to generate one by one; 0: none; default: 128", "N,...");
        arguments.list("--pg", sweep_.pairs, "A prompt and an answer timed together (also -pg)", "PP,TG,...");
        arguments.list("-d,--n-depth", sweep_.depths, "Tokens that lie in the cache before; default: 0", "N,...");
        arguments.list("-b,--batch-size", sweep_.batches, "Tokens a step of a prompt; default: 512", "N,...");
        arguments.list("--parallel,--npl", sweep_.sequences, "Sequences at once; default: 1 (also -npl)", "N,...");
        arguments.list("-m,--model", models_, "Folders, or names in the model directory; default: Ember, built in", "MODEL,...");
        arguments.list("-t,--threads", sweep_.threads, "Threads; default: one for each physical core", "N,...");
        arguments.list("--cache", sweep_.caches, "Types of the KV cache: bf16, q8, f32; default: bf16", "TYPE,...");
        habits_.declare(arguments);
        arguments.integer("-r,--repetitions", run_.repetitions, 1, 1000, "Times each test is run; default: 5");
        arguments.choice("-o,--output", format_, kFormats, "md (default), csv, json or jsonl");
        arguments.choice("--oe,--output-err", error_format_, kFormats, "The same on standard error, in this format (also -oe)");
        arguments.text("--random-weights", random_config_, "A config.json in place of a model: seeded random weights of its shape", "FILE");
        arguments.choice("--dtype", dtype_, {"bf16", "f16", "f32"}, "Of random weights; default: bf16");
        arguments.flag("--profile", run_.profile, "Where the time goes: a table of the stages (to standard error unless -o md)");
        arguments.flag("--no-warmup", no_warm_up_, "No untimed steps before");
        arguments.flag("--no-limits", no_limits_, "Do not measure what the machine could do, which takes some seconds");
        model_.sweeps = true;
        model_.declare(arguments, false);
    }

    int run() override {
        run_.warm_up = !no_warm_up_;
        if (!random_config_.empty() && !models_.empty()) throw UsageError("expected either --model or --random-weights, found both");
        if (random_config_.empty() && !dtype_.empty()) throw UsageError("--dtype: expected together with --random-weights");
        habits_.apply(sweep_);
        const std::vector<BenchTest> tests = plan_tests(sweep_);
        const std::vector<DType> caches = cache_dtypes(sweep_.caches);
        const std::vector<int64_t> threads = thread_counts();
        for (const std::string& note : habits_.notes()) model_.note(note);
        open_outputs(tests, caches);
        for (const std::string& name : models()) {
            for (const int64_t count : threads) {
                const auto model = open(name, count, tests);
                for (const DType cache : caches) time_all(*model, tests, cache);
            }
        }
        for (BenchWriter& writer : writers_) writer.end();
        return kExitOk;
    }

private:
    std::vector<int64_t> thread_counts() const {
        if (sweep_.threads.empty()) return {0};
        const auto out = whole_numbers("-t", sweep_.threads, 1);
        if (std::ranges::max(out) > kMaxThreads)
            throw UsageError(cat("-t: expected whole numbers from 1 to ", kMaxThreads, ", found ", std::ranges::max(out)));
        return out;
    }

    /// Names with commas between them; one that is a folder whose name has a comma is itself.
    std::vector<std::string> models() const {
        std::error_code ignored;
        if (models_.empty() || std::filesystem::exists(models_, ignored)) return {models_};
        const auto out = split(models_, ',');
        if (std::ranges::find(out, "") != out.end())
            throw UsageError(cat("-m: expected names with commas between them, found \"", printable(models_, 60), "\""));
        return out;
    }

    void open_outputs(const std::vector<BenchTest>& tests, const std::vector<DType>& caches) {
        BenchFormat format{.name = format_};
        format.batch_column = std::ranges::any_of(tests, [](const BenchTest& test) { return test.batch != BenchTest{}.batch; });
        format.cache_column = std::ranges::any_of(caches, [](DType cache) { return cache != DType::kBf16; });
        writers_.emplace_back(format, [safe = is_terminal(STDOUT_FILENO)](std::string_view text) {
            write_out(safe ? terminal_safe(text) : std::string(text));
        });
        format.name = error_format_;
        if (!error_format_.empty())
            writers_.emplace_back(format, [](std::string_view text) { write_note(text.substr(0, text.size() - text.ends_with('\n'))); });
    }

    void time_all(const Model& model, const std::vector<BenchTest>& tests, DType cache) {
        run_.cache_dtype = cache;
        BenchRow row = describe(model);
        for (const BenchTest& test : tests) {
            ProgressLine progress(model_.quiet || format_ == "md");
            run_.progress = [&](int64_t done, int64_t total) { progress.report({test.name(), done, total, "runs"}); };
            row.result = run_bench(model, test, run_);
            row.matmul = matmul_variant(model, test.prompt > 0 ? std::min(test.prompt * test.sequences, test.batch) : test.sequences);
            row.variants = variants_of(model, test, cache);
            row.time = utc_now();
            for (BenchWriter& writer : writers_) writer.add(row);
            if (run_.profile && format_ != "md") write_note(stage_table(row));
        }
    }

    std::shared_ptr<const Model> open(const std::string& name, int64_t threads, const std::vector<BenchTest>& tests) {
        int64_t context = 128;  // room for the greedy hash, and what was asked for
        for (const BenchTest& test : tests) context = std::max(context, test.context());
        ProgressLine progress(model_.quiet);
        LoadOptions options;
        options.max_context = context;
        options.quantize = model_.quantize();
        options.progress = progress.callback();
        BackendOptions wanted = model_.backend();
        wanted.threads = static_cast<int>(threads);
        const auto backend = make_backend(wanted);
        if (!random_config_.empty()) {
            info_ = read_config(random_config_);
            file_ = random_config_;
            const DType dtype = dtype_ == "f32" ? DType::kF32 : dtype_ == "f16" ? DType::kF16 : DType::kBf16;
            return random_model(info_.config, dtype, backend, 1, options);
        }
        const ModelEntry entry = find_model(name);
        info_ = inspect_checkpoint(entry.folder);
        for (const std::string& notice : info_.notices) model_.note(notice);
        file_ = entry.name;
        if (context > info_.config.longest_context())
            model_.note(cat("the tests are ", context, " tokens long, more than the ", info_.config.longest_context(),
                            " this model was made for: speed is what counts here"));
        auto model = load_model(info_, backend, options);
        info_.checkpoint.reset();  // nothing more is read
        return model;
    }

    BenchRow describe(const Model& model) {
        const Device& device = model.backend().device();
        BenchRow row;
        row.model_file = file_;
        row.parameters = info_.parameters > 0 ? info_.parameters : count_parameters(model);
        row.model_type =
            cat(model.config().family, " ", fixed(static_cast<double>(row.parameters) / 1e9, 2), "B ", formats_of(model.weights()));
        row.model_bytes = model.weights().total_bytes();
        row.backend = model.backend().name();
        if (row.backend == "cpu") row.backend += cat(":", name_of(device.level));
        row.cpu = device.name;
        row.threads = device.threads;
        row.forced = join(device.forced, ",");
        row.quant = model_.quant;
        row.keep = model_.keep;
        row.order = model_.order;
        row.cache_dtype = run_.cache_dtype;
        row.greedy_hash = greedy_hash(model, run_.cache_dtype);
        if (!no_limits_) row.limits = limits_with(row.threads);
        return row;
    }

    /// What the machine can do with so many threads, measured once a run.
    const Limits& limits_with(int threads) {
        const auto found = limits_.find(threads);
        if (found != limits_.end()) return found->second;
        model_.note("measuring what this machine can do at most; --no-limits leaves it out");
        const Limits& limits =
            limits_.emplace(threads, measure_limits({.threads = threads, .most_buffer_bytes = 0, .repeats = 3})).first->second;
        model_.note(limits_line(limits));
        return limits;
    }

    inline static const std::vector<std::string> kFormats{"md", "csv", "json", "jsonl"};

    ModelOptions model_;
    BenchRun run_;
    BenchSweep sweep_;
    LlamaBenchHabits habits_;
    std::string models_, format_ = "md", error_format_, random_config_, dtype_;
    bool no_warm_up_ = false, no_limits_ = false;
    std::vector<BenchWriter> writers_;
    std::map<int, Limits> limits_;  // by threads
    CheckpointInfo info_;
    std::string file_;
};

}  // namespace

std::unique_ptr<Subcommand> make_bench() { return std::make_unique<Bench>(); }

}  // namespace hearth::tool
