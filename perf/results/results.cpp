#include "perf/results/results.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include "base/error.h"
#include "base/text.h"
#include "loaders/io/json_file.h"
#include "perf/results/fields.h"
#include "perf/results/serve.h"

namespace hearth::perf {

namespace {

std::vector<double> samples_at(const Place& place, const char* key) {
    const Json* list = place.find(key);
    if (list == nullptr || !list->is_array() || list->empty())
        place.refuse(key, "a list of numbers above 0", list == nullptr ? Json() : *list);
    if (std::ssize(*list) > kMostSamples)
        throw Error(ErrorKind::kTooLarge, cat(place.where, ": expected at most ", kMostSamples, " samples, found ", list->size()));
    std::vector<double> out;
    for (const Json& value : *list) {
        if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() <= 0)
            place.refuse(key, "numbers above 0", value);
        out.push_back(value.get<double>());
    }
    return out;
}

std::vector<Stage> stages_at(const Place& place) {
    std::vector<Stage> out;
    const Json* list = place.find("stages");
    if (list == nullptr) return out;
    if (!list->is_array()) place.refuse("stages", "a list", *list);
    for (const Json& value : *list) {
        const Place stage = object_at(value, cat(place.where, ".stages[", out.size(), "]"));
        out.push_back({stage.text("variant", stage.text("row", "?")), stage.number("seconds", 0), stage.number("bytes", 0),
                       stage.number("flops", 0)});
    }
    return out;
}

Ceilings ceilings_at(const Place& place) {
    const Json* value = place.find("limits");
    if (value == nullptr) return {};
    const Place limits = object_at(*value, place.where + ".limits");
    return {.read_gbps = limits.number("read_gbps", 0),
            .fma_f32 = limits.number("fma_f32_gflops", 0),
            .dot_bf16 = limits.number("dot_bf16_gflops", 0),
            .dot_int8 = limits.number("dot_int8_gops", 0),
            .amx_bf16 = limits.number("amx_bf16_gflops", 0),
            .amx_int8 = limits.number("amx_int8_gops", 0)};
}

std::string test_name(const Result& r) {
    std::string out;
    if (r.prompt > 0) out = cat("pp", r.prompt);
    if (r.generate > 0) out += cat(out.empty() ? "" : "+", "tg", r.generate);
    if (r.depth > 0) out += cat(" @ d", r.depth);
    if (r.parallel > 1) out += cat(" x ", r.parallel);
    return out;
}

/// One object of llama-bench's array, with our keys beside theirs.
Result bench_result(const Place& place) {
    Result out;
    out.prompt = place.whole("n_prompt", 0);
    out.generate = place.whole("n_gen", 0);
    out.depth = place.whole("n_depth", 0);
    out.parallel = place.whole("n_parallel", 1);
    out.threads = place.whole("n_threads", 0);
    if (out.prompt + out.generate == 0)
        throw Error(ErrorKind::kBadInput, cat(place.where, ": expected \"n_prompt\" or \"n_gen\" above 0, as llama-bench writes them"));
    out.engine = place.text("engine", place.text("build_commit", "").starts_with("hearth") ? "hearth" : "llama-bench");
    const std::string type = place.text("model_type", "model"), file = place.text("model_filename", "");
    out.weights = place.text("weights", type.substr(type.rfind(' ') + 1));
    const std::string model = std::filesystem::path(file).filename();
    out.name = cat(out.engine == "hearth" ? "" : out.engine + ": ", type, model.empty() ? "" : " (" + model + ")", ", ", out.threads,
                   " threads, ");
    if (const int64_t batch = place.whole("n_ubatch", 0); batch > 0 && out.prompt > 0) out.name += cat("b", batch, ", ");
    out.name += test_name(out);
    out.samples = samples_at(place, "samples_ts");
    out.setup = cat(place.text("backends", "?"), ", cache ", place.text("type_k", "?"));
    for (const char* key : {"forced", "keep", "order"}) {  // files of different kernels or formats must not look alike
        const std::string value = place.text(key, "");
        if (!value.empty() && value != "fixed") out.setup += cat(", ", key, " ", value);
    }
    out.greedy_hash = place.text("greedy_hash", "");
    out.stages = stages_at(place);
    out.ceilings = ceilings_at(place);
    return out;
}

void read_bench(const Json& rows, const std::string& name, ResultFile& out) {
    if (!rows.is_array()) throw Error(ErrorKind::kBadInput, cat(name, ": expected \"results\" to be a list, found ", shown(rows)));
    for (const Json& row : rows) {
        const Place place = object_at(row, cat(name, ": [", out.results.size(), "]"));
        if (out.machine.empty()) out.machine = place.text("cpu_info", "");
        if (out.date.empty()) out.date = place.text("test_time", "");
        out.results.push_back(bench_result(place));
    }
}

double nanoseconds_in(const Place& place) {
    const std::string unit = place.text("time_unit", "ns");
    for (const auto& [name, ns] : {std::pair{"ns", 1.0}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}) {
        if (unit == name) return ns;
    }
    throw Error(ErrorKind::kBadInput, cat(place.where, ": expected ns, us, ms or s as \"time_unit\", found \"", unit, "\""));
}

/// Repetitions of one benchmark are rows of one name.
void read_google(const Json& document, const std::string& name, ResultFile& out) {
    const Json about = document.value("context", Json::object());
    const Place context = object_at(about, name + ": context");
    out.machine = context.text("cpu", cat(context.text("host_name", "?"), ", ", context.whole("num_cpus", 0), " processors"));
    out.date = context.text("date", "");
    const Json& rows = document.at("benchmarks");
    if (!rows.is_array()) throw Error(ErrorKind::kBadInput, cat(name, ": expected \"benchmarks\" to be a list, found ", shown(rows)));
    std::map<std::string, size_t> known;
    int64_t at = 0;
    for (const Json& row : rows) {
        const Place place = object_at(row, cat(name, ": benchmarks[", at++, "]"));
        if (place.text("run_type", "iteration") != "iteration") continue;
        const std::string what = place.text("run_name", place.text("name", ""));
        if (what.empty()) throw Error(ErrorKind::kBadInput, cat(place.where, ": expected a \"name\""));
        if (const Json* failed = place.find("error_occurred"); failed != nullptr && failed->is_boolean() && failed->get<bool>())
            throw Error(ErrorKind::kBadInput, cat(place.where, " (", what, ") ended with: ", place.text("error_message", "an error")));
        const double ns = place.number("real_time", 0) * nanoseconds_in(place);
        if (ns <= 0) place.refuse("real_time", "a number above 0", place.find("real_time") == nullptr ? Json() : *place.find("real_time"));
        const auto [found, fresh] = known.try_emplace(what, out.results.size());
        if (fresh) {
            out.results.emplace_back().name = what;
            out.results.back().is_rate = false;
        }
        out.results[found->second].samples.push_back(ns);
        if (std::ssize(out.results[found->second].samples) > kMostSamples)
            throw Error(ErrorKind::kTooLarge, cat(name, ": expected at most ", kMostSamples, " repetitions of ", what));
    }
}

}  // namespace

ResultFile parse_results(const std::string& text, const std::string& name) {
    const Json document = parse_json(text, name);
    ResultFile out;
    out.path = name;
    if (document.is_array()) {
        read_bench(document, name, out);
    } else if (document.is_object() && document.contains("benchmarks")) {
        read_google(document, name, out);
    } else if (is_serve_run(document)) {
        read_serve_run(document, name, out);
    } else if (document.is_object() && document.contains("results")) {
        read_bench(document.at("results"), name, out);
    } else {
        throw Error(ErrorKind::kBadInput,
                    cat(name, ": expected what `hearth bench -o json`, perf/peers, perf_serve or --benchmark_format=json writes, found ",
                        shown(document)));
    }
    if (out.results.empty()) throw Error(ErrorKind::kBadInput, cat(name, ": expected results, found none"));
    std::set<std::string> names;
    for (const Result& result : out.results) {
        if (!names.insert(result.name).second)
            throw Error(ErrorKind::kBadInput, cat(name, ": expected each test once, found two of: ", result.name));
    }
    return out;
}

ResultFile read_results(const std::filesystem::path& path) { return parse_results(read_small_file(path, kMostFileBytes), path.string()); }

ResultFile merge_runs(std::vector<ResultFile> runs) {
    HEARTH_CHECK(!runs.empty());
    ResultFile out = std::move(runs.front());
    if (runs.size() == 1) return out;
    for (Result& result : out.results) result.samples = {median(result.samples)};
    for (const ResultFile& run : std::span(runs).subspan(1)) {
        if (run.machine != out.machine)
            throw Error(ErrorKind::kBadInput, cat("expected runs of one machine, found \"", out.machine, "\" in ", out.path, " and \"",
                                                  run.machine, "\" in ", run.path));
        for (Result& result : out.results) {
            const auto same = std::ranges::find(run.results, result.name, &Result::name);
            if (same == run.results.end() || run.results.size() != out.results.size())
                throw Error(ErrorKind::kBadInput,
                            cat(run.path, ": expected the tests of ", out.path, ", as ", result.name, "; found others"));
            result.samples.push_back(median(same->samples));
        }
    }
    out.path += cat(" and ", runs.size() - 1, " more");
    return out;
}

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    const size_t middle = values.size() / 2;
    return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace hearth::perf
