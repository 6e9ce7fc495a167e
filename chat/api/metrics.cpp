#include "chat/api/metrics.h"

#include <charconv>
#include <functional>
#include <string_view>

#include "base/text.h"

namespace hearth {
namespace {

std::string number(double value) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// A label's value: backslash, quote and line end are written as the format has it.
std::string quoted(std::string_view value) {
    std::string out = "\"";
    for (const char c : value) out += c == '\\' ? "\\\\" : c == '"' ? "\\\"" : c == '\n' ? "\\n" : std::string(1, c);
    return out + '"';
}

class Text {
public:
    explicit Text(const std::vector<ModelMetrics>& models) : models_(models) {}

    void head(std::string_view name, std::string_view type, std::string_view help) {
        out_ += cat("# HELP hearth_", name, " ", help, "\n# TYPE hearth_", name, " ", type, "\n");
    }
    void value(std::string_view name, double value) { out_ += cat("hearth_", name, " ", number(value), "\n"); }

    /// One number of each model.
    void each(std::string_view name, std::string_view type, std::string_view help, const std::function<double(const EngineStats&)>& of) {
        head(name, type, help);
        for (const ModelMetrics& m : models_)
            out_ += cat("hearth_", name, "{model=", quoted(m.name), "} ", number(of(m.stats)), "\n");
    }

    void histogram(std::string_view name, std::string_view help, const Histogram EngineStats::*of) {
        head(name, "histogram", help);
        for (const ModelMetrics& m : models_) {
            const Histogram& h = m.stats.*of;
            const std::string label = cat("{model=", quoted(m.name));
            int64_t below = 0;
            for (size_t i = 0; i < std::size(Histogram::kBounds_ms); ++i) {
                below += h.counts[i];
                out_ += cat("hearth_", name, "_bucket", label, ",le=\"", number(Histogram::kBounds_ms[i] / 1000), "\"} ", below, "\n");
            }
            out_ += cat("hearth_", name, "_bucket", label, ",le=\"+Inf\"} ", h.count, "\n");
            out_ += cat("hearth_", name, "_sum", label, "} ", number(h.sum_ms / 1000), "\n");
            out_ += cat("hearth_", name, "_count", label, "} ", h.count, "\n");
        }
    }

    std::string take() { return std::move(out_); }

private:
    const std::vector<ModelMetrics>& models_;
    std::string out_;
};

double real(int64_t value) { return static_cast<double>(value); }

}  // namespace

std::string metrics_text(const std::vector<ModelMetrics>& models, int64_t loads, int64_t failed_loads) {
    Text text(models);
    using S = const EngineStats&;
    text.histogram("time_to_first_token_seconds", "From a request's arrival to the first token of its answer.", &EngineStats::first_token);
    text.histogram("time_between_tokens_seconds", "From one token of an answer to the next.", &EngineStats::between_tokens);
    text.each("requests_running", "gauge", "Answers that are computed now.", [](S s) { return real(s.running); });
    text.each("requests_waiting", "gauge", "Requests that wait for their first step.", [](S s) { return real(s.waiting); });
    text.each("kv_blocks_in_use", "gauge", "Blocks of the KV cache that answers use.", [](S s) { return real(s.blocks_in_use); });
    text.each("kv_blocks", "gauge", "Blocks of the KV cache.", [](S s) { return real(s.num_blocks); });
    text.each("requests_refused_total", "counter", "Requests that found the queue full.", [](S s) { return real(s.refused); });
    text.each("requests_cancelled_total", "counter", "Answers whose reader left.", [](S s) { return real(s.cancelled); });
    text.each("preemptions_total", "counter", "Answers that gave their blocks back for a while.", [](S s) { return real(s.preemptions); });
    text.each("steps_total", "counter", "Steps of the model.", [](S s) { return real(s.steps); });
    text.each("prompt_tokens_total", "counter", "Tokens of prompts of requests that began.", [](S s) { return real(s.prompt_tokens); });
    text.each("prompt_tokens_cached_total", "counter", "Those of them that the cache held.", [](S s) { return real(s.cached_tokens); });
    text.each("generated_tokens_total", "counter", "Tokens of answers that ended.", [](S s) { return real(s.generated_tokens); });
    text.each("drafted_tokens_total", "counter", "Drafts that were verified.", [](S s) { return real(s.drafted_tokens); });
    text.each("drafts_kept_total", "counter", "Drafts that became part of an answer.", [](S s) { return real(s.kept_tokens); });
    text.each("seconds_since_step", "gauge", "Time that work has waited without a step having ended.", [](S s) { return s.since_step_s; });
    text.head("model_loads_total", "counter", "Models that were loaded.");
    text.value("model_loads_total", real(loads));
    text.head("model_loads_failed_total", "counter", "Models that could not be loaded.");
    text.value("model_loads_failed_total", real(failed_loads));
    return text.take();
}

}  // namespace hearth
