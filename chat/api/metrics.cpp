#include "chat/api/metrics.h"

#include <charconv>
#include <string_view>

#include "base/text.h"

namespace hearth {
namespace {

std::string number(double value) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

class Text {
public:
    void value(std::string_view name, std::string_view type, std::string_view help, double value) {
        head(name, type, help);
        out_ += cat("hearth_", name, " ", number(value), "\n");
    }
    void gauge(std::string_view name, std::string_view help, int64_t count) { value(name, "gauge", help, static_cast<double>(count)); }
    void counter(std::string_view name, std::string_view help, int64_t count) { value(name, "counter", help, static_cast<double>(count)); }

    void histogram(std::string_view name, std::string_view help, const Histogram& h) {
        head(name, "histogram", help);
        int64_t below = 0;
        for (size_t i = 0; i < std::size(Histogram::kBounds_ms); ++i) {
            below += h.counts[i];
            out_ += cat("hearth_", name, "_bucket{le=\"", number(Histogram::kBounds_ms[i] / 1000), "\"} ", below, "\n");
        }
        out_ += cat("hearth_", name, "_bucket{le=\"+Inf\"} ", h.count, "\n");
        out_ += cat("hearth_", name, "_sum ", number(h.sum_ms / 1000), "\n");
        out_ += cat("hearth_", name, "_count ", h.count, "\n");
    }

    std::string take() { return std::move(out_); }

private:
    void head(std::string_view name, std::string_view type, std::string_view help) {
        out_ += cat("# HELP hearth_", name, " ", help, "\n# TYPE hearth_", name, " ", type, "\n");
    }
    std::string out_;
};

}  // namespace

std::string metrics_text(const EngineStats& s, const LoadCounts& loads) {
    Text text;
    text.histogram("time_to_first_token_seconds", "From a request's arrival to the first token of its answer.", s.first_token);
    text.histogram("time_between_tokens_seconds", "From one token of an answer to the next.", s.between_tokens);
    text.gauge("requests_running", "Answers that are computed now.", s.running);
    text.gauge("requests_waiting", "Requests that wait for their first step.", s.waiting);
    text.gauge("kv_blocks_in_use", "Blocks of the KV cache that answers use.", s.blocks_in_use);
    text.gauge("kv_blocks", "Blocks of the KV cache.", s.num_blocks);
    text.counter("requests_refused_total", "Requests that found the queue full.", s.refused);
    text.counter("requests_cancelled_total", "Answers whose reader left.", s.cancelled);
    text.counter("preemptions_total", "Answers that gave their blocks back for a while.", s.preemptions);
    text.counter("steps_total", "Steps of the model.", s.steps);
    text.counter("prompt_tokens_total", "Tokens of prompts of requests that began.", s.prompt_tokens);
    text.counter("prompt_tokens_cached_total", "Those of them that the cache held, of answers that ended.", s.cached_tokens);
    text.counter("generated_tokens_total", "Tokens of answers that ended.", s.generated_tokens);
    text.counter("drafted_tokens_total", "Drafts that were verified, of answers that ended.", s.drafted_tokens);
    text.counter("drafts_kept_total", "Those of them that became part of an answer.", s.kept_tokens);
    text.value("seconds_since_step", "gauge", "Time that work has waited without a step having ended.", s.since_step_s);
    text.counter("model_loads_total", "Models that were loaded.", loads.loaded);
    text.counter("model_loads_failed_total", "Models that could not be loaded.", loads.failed);
    return text.take();
}

}  // namespace hearth
