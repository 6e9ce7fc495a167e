// hearth perplexity: how well a model predicts a text, and how far it lies from another model on it.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "kernels/limits.h"
#include "loaders/model_directory.h"
#include "loaders/tokenizer/tokenizer.h"
#include "tools/hearth/bench/report.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"
#include "tools/hearth/options/model_options.h"
#include "tools/hearth/perplexity/kl_base.h"
#include "tools/hearth/perplexity/nll_file.h"
#include "tools/hearth/perplexity/report.h"
#include "tools/hearth/terminal/interrupts.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

constexpr int64_t kMostTextBytes = int64_t{1} << 30;
constexpr int64_t kDefaultWindow =
    2048;  // or the model's context where that is shorter: published figures use it, and it fits a small machine

class Perplexity : public Subcommand {
public:
    void declare(Arguments& arguments) override {
        arguments.rest("file", files_, "Text file; default: standard input");
        arguments.integer("--stride", windows_.stride, 1, int64_t{1} << 30,
                          "Tokens from one window to the next; default: half of --context; at most --context");
        arguments.integer(
            "--skip", windows_.skip, 0, int64_t{1} << 30,
            "Tokens at the start of each window that are read and not scored; default: 0; less than --context. As llama.cpp scores with "
            "-c 512: --context 512 --stride 512 --skip 257 (windows side by side, the second half of each)");
        arguments.integer("--tokens", most_tokens_, 2, int64_t{1} << 30, "Only so many tokens from the start of the text; default: all");
        arguments.text("--kl-base", kl_base_,
                       "Where FILE is not there, writes what the model expects at every token to it; where it is, compares with it",
                       "FILE");
        arguments.text("--nll", nll_path_,
                       "Writes a line for each scored token to FILE, a new one: its place in the text, id, NLL in nats, and text", "FILE");
        arguments.flag("--special", special_, "Read special tokens in the text, as in a conversation that a template wrote");
        arguments.flag("--profile", model_.profile, "Where the time goes: a table of the stages, on standard error");
        arguments.flag("--no-limits", no_limits_, "Do not measure what the machine could do, which takes some seconds");
        arguments.flag("--json", json_, "One JSON object");
        model_.default_context = cat(kDefaultWindow, ", or the model's where that is shorter");
        model_.declare(arguments, false);
    }

    int run() override {
        if (files_.size() > 1) throw UsageError(cat("expected one file, found ", files_.size()));
        const std::string text = files_.empty() ? read_input(kMostTextBytes) : read_file(files_.front(), kMostTextBytes);
        const ModelEntry entry = find_model(model_.model);
        const CheckpointInfo info = inspect_checkpoint(entry.folder);
        for (const std::string& notice : info.notices) model_.note(notice);
        choose_windows(info);
        const auto tokenizer = open_tokenizer(info.folder);
        const std::vector<int32_t> tokens = encode(*tokenizer, text);
        std::optional<NllFile> nll;
        if (!nll_path_.empty()) nll.emplace(nll_path_, *tokenizer, tokens);
        Interrupts interrupts;  // an unfinished file of --kl-base must not stay
        const auto model = load(info, interrupts);
        Profile profile;
        PerplexityReport report = score(*model, entry.name, tokens, interrupts, profile, nll ? &*nll : nullptr);
        if (nll) nll->finish();
        if (model_.profile) write_note(stage_table("all windows, a clock around each stage", profile.stages()));
        report.limits = measure(*model);
        write_out(json_ ? as_json(report) : as_text(report));
        return kExitOk;
    }

private:
    void choose_windows(const CheckpointInfo& info) {
        if (model_.context > info.config.longest_context()) {
            throw Error(ErrorKind::kTooLarge,
                        cat("--context ", model_.context, ": this model was made for ", info.config.longest_context(), " tokens"));
        }
        windows_.context = model_.context > 0 ? model_.context : std::min(kDefaultWindow, info.config.context);
        if (windows_.stride == 0) windows_.stride = std::max<int64_t>(1, windows_.context / 2);
        if (windows_.context < 2) throw UsageError("--context: expected at least 2 tokens, one to predict and one before it");
        if (windows_.stride > windows_.context)
            throw UsageError(cat("--stride ", windows_.stride, ": expected at most --context, which is ", windows_.context));
        if (windows_.skip >= windows_.context)
            throw UsageError(cat("--skip ", windows_.skip, ": expected less than --context, which is ", windows_.context));
    }

    std::vector<int32_t> encode(const Tokenizer& tokenizer, const std::string& text) const {
        std::vector<int32_t> tokens = tokenizer.encode({{text, special_}});
        const auto bos = tokenizer.adds_bos() ? tokenizer.bos() : std::nullopt;
        if (bos && (tokens.empty() || tokens.front() != *bos)) tokens.insert(tokens.begin(), *bos);
        if (tokens.size() < 2) throw Error(ErrorKind::kBadInput, cat("the text: expected at least 2 tokens, found ", tokens.size()));
        if (most_tokens_ && std::ssize(tokens) > *most_tokens_) tokens.resize(static_cast<size_t>(*most_tokens_));
        if (windows_.scored(std::ssize(tokens)) == 0)
            throw Error(ErrorKind::kBadInput, cat("the text: expected more than --skip ", windows_.skip, " tokens, found ", tokens.size()));
        return tokens;
    }

    std::shared_ptr<const Model> load(const CheckpointInfo& info, Interrupts& interrupts) const {
        ProgressLine progress(model_.quiet, &interrupts);
        LoadOptions options;
        options.max_context = windows_.context;
        options.quantize = model_.quantize();
        options.progress = progress.callback();
        return load_model(info, make_backend(model_.backend()), options);
    }

    PerplexityReport score(const Model& model, const std::string& name, const std::vector<int32_t>& tokens, Interrupts& interrupts,
                           Profile& profile, NllFile* nll) const {
        const auto count = static_cast<int64_t>(tokens.size());
        ProgressLine progress(model_.quiet, &interrupts);
        std::optional<KlBase> base;
        if (!kl_base_.empty()) base.emplace(kl_base_, kl_header(model, name, tokens, windows_), tokens);
        ScoringHooks hooks;
        hooks.cache_dtype = model_.cache_dtype();
        if (model_.profile) hooks.profile = &profile;
        if (base) model_.note(base->note());
        if (base || nll != nullptr) {
            hooks.rows = [&](const ScoredRows& rows) {
                interrupts.throw_if_any();
                if (base) base->take(rows);
                if (nll != nullptr) nll->take(rows);
            };
        }
        hooks.progress = [&](int64_t done, const Tally& tally) {
            progress.report({"scoring", done, count, "tokens"}, cat("perplexity ", fixed(std::exp(tally.mean()), 3)));
        };
        progress.report({"scoring", 0, count, "tokens"});
        PerplexityReport report;
        report.tally = score_text(model, tokens, windows_, hooks);
        report.windows = windows_;
        report.tokens = count;
        if (base) base->finish(report);
        return report;
    }

    /// What the machine can do with the threads that scored, measured now: next to another load, both come out lower.
    std::optional<Limits> measure(const Model& model) const {
        if (no_limits_) return std::nullopt;
        LimitsOptions options;
        options.threads = model.backend().device().threads;
        options.repeats = 3;
        model_.note("measuring what this machine can do at most; --no-limits leaves it out");
        try {
            return measure_limits(options);
        } catch (const Error& error) {
            model_.note(cat("not measured: ", error.what()));
            return std::nullopt;
        }
    }

    ModelOptions model_;
    std::vector<std::string> files_;
    std::string kl_base_, nll_path_;
    std::optional<int64_t> most_tokens_;
    Windows windows_;
    bool json_ = false, no_limits_ = false, special_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_perplexity() { return std::make_unique<Perplexity>(); }

}  // namespace hearth::tool
