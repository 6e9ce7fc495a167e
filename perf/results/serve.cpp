#include "perf/results/serve.h"

#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace hearth::perf {

namespace {

Place member(const Place& place, const char* key) {
    const Json* value = place.find(key);
    if (value == nullptr) place.refuse(key, "an object", Json());
    return object_at(*value, cat(place.where, ".", key));
}

/// Milliseconds of requests as nanoseconds; a value below one is taken for one, because a ratio needs both above 0.
std::vector<double> samples_of(const Place& spread) {
    const Json* list = spread.find("samples");
    if (list == nullptr || !list->is_array()) spread.refuse("samples", "a list of numbers", list == nullptr ? Json() : *list);
    if (std::ssize(*list) > kMostSamples)
        throw Error(ErrorKind::kTooLarge, cat(spread.where, ": expected at most ", kMostSamples, " samples, found ", list->size()));
    std::vector<double> out;
    for (const Json& value : *list) {
        if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < 0)
            spread.refuse("samples", "numbers from 0", value);
        out.push_back(std::max(value.get<double>() * 1e6, 1.0));
    }
    return out;
}

class Reader {
public:
    Reader(const Place& run, ResultFile& out) : run_(run), load_(member(run, "load")), out_(out) {
        label_ = run.text("label", "");
        const std::string model = load_.text("model", "");
        setup_ = cat(label_.empty() ? load_.text("url", "?") : label_, model.empty() ? "" : ", model " + model);
    }

    void times(const char* key, const char* metric) {
        const Place spread = member(run_, key);
        std::vector<double> samples = samples_of(spread);
        if (samples.empty()) return;
        add(metric, std::move(samples), "");
        add(cat(metric, ", p99"), {std::max(spread.number("p99", 0) * 1e6, 1.0)}, "");
    }

    void rate(const char* key, const char* metric, const char* unit) {
        const double value = run_.number(key, 0);
        if (value > 0) add(metric, {value}, unit);
    }

    ServePoint point() const {
        const Place ttft = member(run_, "ttft_ms");
        const double rate = load_.number("rate", 0), concurrency = load_.number("concurrency", 0);
        return {.label = label_.empty() ? load_.text("url", "?") : label_,
                .by_rate = rate > 0,
                .load = rate > 0 ? rate : concurrency,
                .ttft_median_ms = ttft.number("median", 0),
                .ttft_p90_ms = ttft.number("p90", 0),
                .ttft_p99_ms = ttft.number("p99", 0),
                .output_tokens_per_second = run_.number("output_tokens_per_s", 0)};
    }

private:
    void add(const std::string& metric, std::vector<double> samples, const char* unit) {
        Result& result = out_.results.emplace_back();
        result.name = cat("serve ", load_.text("describes", "?"), ": ", metric);
        result.samples = std::move(samples);
        result.is_rate = *unit != 0;
        if (result.is_rate) result.unit = unit;
        result.setup = setup_;
    }

    const Place& run_;
    Place load_;
    ResultFile& out_;
    std::string label_, setup_;
};

}  // namespace

bool is_serve_run(const Json& document) {
    if (!document.is_object()) return false;
    const auto program = document.find("program");
    return program != document.end() && *program == "perf_serve";
}

void read_serve_run(const Json& document, const std::string& name, ResultFile& out) {
    const Place run = object_at(document, name);
    out.machine = run.text("cpu_info", "");
    out.date = run.text("test_time", "");
    Reader reader(run, out);
    reader.times("ttft_ms", "time to first token");
    reader.times("per_token_ms", "time a token");
    reader.times("itl_ms", "time between chunks");
    reader.times("whole_ms", "whole answer");
    reader.rate("output_tokens_per_s", "answer tokens", "t/s");
    reader.rate("requests_per_s", "answered requests", "req/s");
    reader.rate("goodput_per_s", "goodput", "req/s");
    out.serve = reader.point();
}

}  // namespace hearth::perf
