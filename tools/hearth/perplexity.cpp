// hearth perplexity: how well a model predicts a text, over windows that overlap.
//
// Window i holds tokens [i * stride, i * stride + context). Each token is scored once, in the first window that it is in, given all of the
// window before it; so with stride < context every token but the first has at least context - stride tokens before it.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "kernels/limits.h"
#include "loaders/model_directory.h"
#include "loaders/tokenizer/tokenizer.h"
#include "runtime/score.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/support/command_line.h"
#include "tools/hearth/support/model_options.h"
#include "tools/hearth/support/terminal.h"

namespace hearth::tool {

namespace {

constexpr int64_t kMostTextBytes = int64_t{1} << 30;
constexpr int64_t kDefaultWindow =
    2048;                        // or the model's context where that is shorter: published figures use it, and it fits a small machine
constexpr int64_t kChunk = 512;  // tokens a step

/// What was scored, and what it took.
struct Tally {
    double nll = 0;
    int64_t scored = 0, windows = 0, computed = 0;  // computed: tokens that went through the model
    double seconds = 0;
    double bytes = 0, flops = 0;  // that had to be moved and done at least

    double mean() const { return scored > 0 ? nll / static_cast<double>(scored) : 0; }
};

class Perplexity : public Subcommand {
public:
    void declare(Arguments& arguments) override {
        arguments.rest("file", files_, "Text file; default: standard input");
        arguments.integer("--stride", stride_, 1, int64_t{1} << 30,
                          "Tokens from one window to the next; default: half of --context; at most --context");
        arguments.flag("--no-limits", no_limits_, "Do not measure what the machine could do, which takes some seconds");
        arguments.flag("--json", json_, "One JSON object");
        model_.declare(arguments, false);
    }

    int run() override {
        if (files_.size() > 1) throw UsageError(cat("expected one file, found ", files_.size()));
        const std::string text = files_.empty() ? read_input(kMostTextBytes) : read_file(files_.front(), kMostTextBytes);
        const CheckpointInfo info = inspect_checkpoint(find_model(model_.model).folder);
        if (model_.context > info.config.context) {
            throw Error(ErrorKind::kTooLarge,
                        cat("--context ", model_.context, ": this model was made for ", info.config.context, " tokens"));
        }
        window_ = model_.context > 0 ? model_.context : std::min(kDefaultWindow, info.config.context);
        if (stride_ == 0) stride_ = std::max<int64_t>(1, window_ / 2);
        if (window_ < 2) throw UsageError("--context: expected at least 2 tokens, one to predict and one before it");
        if (stride_ > window_) throw UsageError(cat("--stride ", stride_, ": expected at most --context, which is ", window_));
        const std::vector<int32_t> tokens = encode(*open_tokenizer(info.folder), text);
        const auto model = load(info);
        const Tally tally = score(*model, tokens);
        const std::optional<Limits> limits = measure(*model);
        write_out(json_ ? as_json(tally, limits) : as_text(tally, static_cast<int64_t>(tokens.size())) + shares(tally, limits));
        return kExitOk;
    }

private:
    static std::vector<int32_t> encode(const Tokenizer& tokenizer, const std::string& text) {
        std::vector<int32_t> tokens = tokenizer.encode_plain(text);
        if (tokenizer.adds_bos() && tokenizer.bos()) tokens.insert(tokens.begin(), *tokenizer.bos());
        if (tokens.size() < 2) throw Error(ErrorKind::kBadInput, cat("the text: expected at least 2 tokens, found ", tokens.size()));
        return tokens;
    }

    std::shared_ptr<const Model> load(const CheckpointInfo& info) const {
        ProgressLine progress(model_.quiet);
        LoadOptions options;
        options.max_context = window_;
        options.quantize = model_.quantize();
        options.progress = progress.callback();
        return load_model(info, make_backend(model_.backend()), options);
    }

    Tally score(const Model& model, const std::vector<int32_t>& tokens) const {
        const auto count = static_cast<int64_t>(tokens.size());
        const auto start = std::chrono::steady_clock::now();
        ProgressLine progress(model_.quiet);
        Tally tally;
        progress.report({"scoring", 0, count, "tokens"});
        for (int64_t begin = 0, done = 1; done < count; begin += stride_) {
            const int64_t end = std::min(begin + window_, count);
            const auto values = log_probabilities(
                model, std::span(tokens).subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)), model_.cache_dtype(), kChunk);
            for (int64_t i = std::max(done, begin + 1); i < end; ++i, ++tally.scored)
                tally.nll -= values[static_cast<size_t>(i - begin - 1)];
            done = end;
            ++tally.windows;
            tally.computed += end - begin - 1;
            add_work(model, end - begin - 1, tally);
            tally.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            progress.report({"scoring", done, count, "tokens"}, cat("perplexity ", fixed(std::exp(tally.mean()), 3)));
        }
        return tally;
    }

    /// Adds what a window of `length` tokens moves and computes at the very least: each step reads the weights once.
    static void add_work(const Model& model, int64_t length, Tally& tally) {
        const ModelConfig& c = model.config();
        const Weights& weights = model.weights();
        double per_token = static_cast<double>(weights.head.weight.n) * static_cast<double>(weights.head.weight.k);
        for (const LayerWeights& layer : weights.layers) {
            const auto size = [](const Weight& w) { return static_cast<double>(w.n) * static_cast<double>(w.k); };
            per_token += size(layer.qkv.weight) + size(layer.out.weight);
            if (c.experts > 0) {
                const double expert = size(layer.expert_gate[0]) + size(layer.expert_up[0]) + size(layer.expert_down[0]);
                per_token += size(layer.router.weight) + static_cast<double>(c.experts_per_token) * expert;
            } else {
                per_token += size(layer.gate.weight) + size(layer.up.weight) + size(layer.down.weight);
            }
        }
        const double tokens = static_cast<double>(length);
        const double pairs = tokens * (tokens + 1) / 2 * static_cast<double>(c.layers);  // windows of attention are left out of account
        tally.flops += 2 * per_token * tokens + 4 * pairs * static_cast<double>(c.heads * c.head_dim);
        const int64_t lookup = c.tied_embeddings ? 0 : weights.embed.weight.bytes;
        tally.bytes += static_cast<double>(ceil_div(length, kChunk)) * static_cast<double>(weights.total_bytes() - lookup);
    }

    std::string as_text(const Tally& tally, int64_t count) const {
        const double rate = tally.seconds > 0 ? static_cast<double>(tally.scored) / tally.seconds : 0;
        std::string out;
        out += cat("mean NLL    ", fixed(tally.mean(), 5), " nats a token\n");
        out += cat("perplexity  ", fixed(std::exp(tally.mean()), 4), "\n");
        out += cat("tokens      ", grouped(tally.scored), " scored of ", grouped(count), ", ", tally.windows,
                   tally.windows == 1 ? " window" : " windows", " of ", window_, ", stride ", stride_, "\n");
        out += cat("time        ", fixed(tally.seconds, 2), " s, ", fixed(rate, 1), " scored tokens/s\n");
        return out;
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

    static std::string percent(double part, double whole) { return cat(fixed(100 * part / whole, 1), " %"); }

    static std::string shares(const Tally& tally, const std::optional<Limits>& limits) {
        if (!limits || tally.seconds <= 0) return "";
        const double gflops = tally.flops / tally.seconds / 1e9, gbps = tally.bytes / tally.seconds / 1e9;
        std::vector<std::string> peaks;
        const auto add = [&](std::string_view unit, double peak) {
            if (peak >= gflops) peaks.push_back(cat(percent(gflops, peak), " of ", unit, "'s ", fixed(peak, 0)));
        };
        add("f32 FMA", limits->fma_f32_gflops);
        add("the bf16 dot", limits->dot_bf16_gflops);
        add("AMX bf16", limits->amx_bf16_gflops);
        std::string out = cat("arithmetic  ", fixed(gflops, 1),
                              " GFLOP/s: ", peaks.empty() ? "more than was measured as the limit just now" : join(peaks, ", "), "\n");
        out += cat("weights     ", fixed(gbps, 2), " GB/s read");
        if (const double limit = limits->read_gbps_all(); limit > 0) {  // from the cache more than the memory's limit is possible
            out += gbps <= limit ? cat(": ", percent(gbps, limit), " of ", fixed(limit, 1))
                                 : cat(", from the cache; memory gives ", fixed(limit, 1));
        }
        return out + "\n";
    }

    std::string as_json(const Tally& tally, const std::optional<Limits>& limits) const {
        nlohmann::ordered_json out = {
            {"mean_nll", tally.mean()},
            {"perplexity", std::exp(tally.mean())},
            {"scored_tokens", tally.scored},
            {"windows", tally.windows},
            {"context", window_},
            {"stride", stride_},
            {"seconds", tally.seconds},
            {"computed_tokens", tally.computed},
            {"least_bytes", tally.bytes},
            {"least_flops", tally.flops},
        };
        if (limits) {
            out["limits"] = {{"read_gbps", limits->read_gbps_all()},
                             {"fma_f32_gflops", limits->fma_f32_gflops},
                             {"dot_bf16_gflops", limits->dot_bf16_gflops},
                             {"amx_bf16_gflops", limits->amx_bf16_gflops}};
        }
        return out.dump(2) + "\n";
    }

    ModelOptions model_;
    std::vector<std::string> files_;
    int64_t stride_ = 0, window_ = 0;
    bool json_ = false, no_limits_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_perplexity() { return std::make_unique<Perplexity>(); }

}  // namespace hearth::tool
