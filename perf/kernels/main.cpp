// perf_kernels: times every variant of the tables on the shapes of models, as shares of what the machine can do at most.
//
//   perf_kernels [--model=1b|7b|8b] [--threads=N] [--device=cpu:avx512] [Google Benchmark's own flags]
//
// Names: ROW/MODEL/WEIGHT/FORMAT/TOKENS/WARMTH, as matmul/q_amx/1b/gate_up/q4/1/cold; attention/avx512/1b/bf16/1_of_4096/cold is one query
// at the end of 4096 tokens. Cold: weights or caches rotate over more bytes than the last cache holds (Bench::cold_bytes), as they do in a
// model; hot: always the same. Each variant is compared with the reference before it is timed; one that differs is an error in the results.
// Columns: GB/s of weights (or keys and values), of_bandwidth (cold only), GFLOP/s, of_peak: of the unit that the variant uses
// (kernels/arithmetic_unit.h).
//
// oneDNN's variant runs only where --benchmark_filter names it: with few threads it has taken minutes for one product.
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "kernels/make_backend.h"
#include "perf/kernels/bench.h"

namespace hearth::perf {
namespace {

/// Writes the machine into the results, so that perf_compare knows whose they are.
void describe(const Bench& bench) {
    const Limits& limits = bench.limits;
    benchmark::AddCustomContext("cpu", limits.cpu);
    benchmark::AddCustomContext("hearth_threads", cat(limits.threads));
    benchmark::AddCustomContext("hearth_level", std::string(name_of(bench.backend->device().level)));
    benchmark::AddCustomContext(
        "hearth_limits", cat("read ", fixed(limits.read_gbps_all(), 1), " GB/s; f32 FMA ", fixed(limits.fma_f32_gflops, 0), ", bf16 dot ",
                             fixed(limits.dot_bf16_gflops, 0), ", int8 dot ", fixed(limits.dot_int8_gops, 0), ", AMX bf16 ",
                             fixed(limits.amx_bf16_gflops, 0), ", AMX int8 ", fixed(limits.amx_int8_gops, 0), " GFLOP/s; barrier ",
                             fixed(limits.barrier_us, 2), " us"));
    benchmark::AddCustomContext("hearth_cold_bytes", human_bytes(bench.cold_bytes()));
}

const ModelShape& find_model(std::string_view name) {
    for (const ModelShape& model : kModels) {
        if (name == model.name) return model;
    }
    std::string known;
    for (const ModelShape& model : kModels) known += cat(known.empty() ? "" : ", ", model.name, " (", model.like, ")");
    throw Error(ErrorKind::kBadInput, cat("--model: expected one of ", known, "; found \"", printable(name, 60), "\""));
}

void print_help() {
    std::string models;
    for (const ModelShape& model : kModels) models += cat(models.empty() ? "" : "|", model.name);
    std::printf(
        "perf_kernels [options] [options of Google Benchmark]\n"
        "  --model=%s      shapes to time: TinyLlama-1.1B (default), Llama-2-7B, Llama-3.1-8B\n"
        "  --threads=N           default: one for each physical core\n"
        "  --device=cpu:LEVEL    a lower level than the machine's: cpu:avx2, cpu:avx512\n"
        "\nNames: ROW/MODEL/WEIGHT/FORMAT/TOKENS/cold|hot, as matmul/q_amx/1b/gate_up/q4/1/cold\n\n",
        models.c_str());
}

int run(int argc, char** argv) {
    std::string model = "1b";
    BackendOptions options;
    Bench bench;
    int kept = 1;
    for (int i = 1; i < argc; ++i) {
        const std::string_view flag = argv[i];
        if (flag == "--help" || flag == "-h") {
            print_help();
            benchmark::PrintDefaultHelp();
            return 0;
        }
        if (flag.starts_with("--model=")) {
            model = flag.substr(8);
        } else if (flag.starts_with("--threads=")) {
            options.threads = std::atoi(argv[i] + 10);
            if (options.threads < 1 || options.threads > 4096)
                throw Error(ErrorKind::kBadInput,
                            cat("--threads: expected a whole number from 1 to 4096, found \"", printable(flag.substr(10), 60), "\""));
        } else if (flag.starts_with("--device=")) {
            options.device = flag.substr(9);
        } else {
            bench.with_onednn =
                bench.with_onednn || (flag.starts_with("--benchmark_filter=") && flag.find("onednn") != std::string_view::npos);
            argv[kept++] = argv[i];
        }
    }
    argc = kept;
    const ModelShape& shape = find_model(model);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
#ifndef HEARTH_ONEDNN
    if (bench.with_onednn)
        throw Error(ErrorKind::kUnsupported, "matmul/bf16_onednn: oneDNN (libdnnl-dev) was not there when this program was built");
#endif
    bench.backend = make_backend(options);
    bench.reference = make_backend({.device = "reference"});
    bench.stream = bench.backend->make_stream();
    bench.limits = measure_limits({.threads = bench.backend->device().threads, .repeats = 3});
    describe(bench);
    add_matmuls(bench, shape);
    add_stages(bench, shape);
    add_attention(bench, shape);
    add_small_stages(bench, shape);
    return benchmark::RunSpecifiedBenchmarks() > 0 ? 0 : 2;
}

}  // namespace
}  // namespace hearth::perf

int main(int argc, char** argv) {
    try {
        return hearth::perf::run(argc, argv);
    } catch (const hearth::Error& error) {
        std::fprintf(stderr, "perf_kernels: %s\n", error.what());
        return 2;
    }
}
