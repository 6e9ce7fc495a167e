// Times every row of matmul and attention on the shapes of models, as shares of what the machine can do at most.
//
//   perf_kernels [--model=1b|7b|8b] [--threads=N] [--device=cpu:avx512] [Google Benchmark's own flags, as
//   --benchmark_filter=matmul/bf16_amx]
//
// Decode shapes rotate over more weights than the last cache holds, so that weights come from memory as they do in a model; prompts reuse
// theirs. Each row is compared with the reference before it is timed. Columns: GB/s and the share of the read bandwidth; GFLOP/s and
// the share of the peak of the units that the row uses (bf16_amx: tiles; bf16_avx512: bf16 dots; the others: FMA).
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <random>

#include "base/error.h"
#include "base/text.h"
#include "kernels/backend.h"
#include "kernels/limits.h"
#include "kernels/reference/reference.h"

namespace hearth {
namespace {

struct ModelShape {
    const char* name;
    int64_t hidden, intermediate, heads, groups, head_dim;
};

constexpr ModelShape kModels[] = {{"1b", 2048, 5632, 32, 4, 64}, {"7b", 4096, 11008, 32, 32, 128}, {"8b", 4096, 14336, 32, 8, 128}};

/// Random numbers, never zeros: some units are faster on those.
void fill(float* out, int64_t count, uint32_t seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (int64_t i = 0; i < count; ++i) out[i] = uniform(random);
}

void fill(uint16_t* out, int64_t count, uint32_t seed) {
    std::mt19937 random(seed);
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<uint16_t>(0x3C00 | (random() & 0x83FF));  // bf16 around 0.01
}

struct Bench {
    std::shared_ptr<const Backend> backend;
    std::unique_ptr<Stream> stream;
    Limits limits;

    double peak_of(std::string_view row) const {
        if (row.ends_with("amx") || row.ends_with("_onednn"))
            return limits.amx_bf16_gflops > 0 ? limits.amx_bf16_gflops : limits.dot_bf16_gflops;
        if (row == "matmul/bf16_avx512") return limits.dot_bf16_gflops;
        return limits.fma_f32_gflops;
    }

    void report(benchmark::State& state, std::string_view row, double bytes, double flops) const {
        const double runs = static_cast<double>(state.iterations());
        using benchmark::Counter;
        state.counters["GB/s"] = Counter(bytes * runs * 1e-9, Counter::kIsRate);
        state.counters["of_bandwidth"] = Counter(bytes * runs * 1e-9 / limits.read_gbps_all(), Counter::kIsRate);
        state.counters["GFLOP/s"] = Counter(flops * runs * 1e-9, Counter::kIsRate);
        state.counters["of_peak"] = Counter(flops * runs * 1e-9 / peak_of(row), Counter::kIsRate);
    }
};

/// One weight (or gate and up) of a model, in as many copies as its use asks for.
class MatmulCase {
public:
    MatmulCase(const Bench& bench, int64_t tokens, int64_t n, int64_t k, bool gated)
        : x_(static_cast<size_t>(tokens * k)), y_(static_cast<size_t>(tokens * n)) {
        fill(x_.data(), tokens * k, 1);
        std::vector<uint16_t> host(static_cast<size_t>(n * k));
        fill(host.data(), n * k, 2);
        const HostMatrix matrix{DType::kBf16, host.data(), n, k};
        Weight weight = bench.backend->prepare({&matrix, 1}, WeightUse::kMatmul, allocate(bench, {&matrix, 1}), *bench.stream);
        const int64_t cold = 4 * std::max<int64_t>(bench.limits.last_cache_bytes, 1 << 20), most = bench.backend->device().memory_bytes / 4;
        const int64_t wanted = tokens == 1 ? std::min(cold, most) : 0;
        const int64_t copies = std::max<int64_t>(1 + gated, wanted / weight.bytes);
        weights_.push_back(weight);
        while (std::ssize(weights_) < copies) {
            weight.data = allocate(bench, {&matrix, 1});
            std::memcpy(const_cast<void*>(weight.data), weights_[0].data, static_cast<size_t>(weight.bytes));
            weights_.push_back(weight);
        }
        args_.x = {x_.data(), {tokens, k}};
        args_.y = {y_.data(), {tokens, n}};
        gated_ = gated;
        next();
    }

    /// Arguments with the next copy of the weights.
    const MatmulArgs& next() {
        const auto take = [&] { return weights_[at_++ % weights_.size()]; };
        args_.w = take();
        if (gated_) args_.up = take();
        return args_;
    }

    /// Compares `row` with the reference on a few tokens of the same weights.
    void check(const Variant<MatmulArgs>& row, Bench& bench) {
        const auto oracle = make_backend({.device = "reference"});
        const auto stream = oracle->make_stream();
        MatmulArgs few = args_;
        stream->reserve(kMatmulReference.workspace_bytes(few, oracle->device()));
        row.run(args_, *bench.stream);
        const std::vector<float> got(y_.begin(), y_.begin() + few.y.extent[1]);
        few.x.extent[0] = few.y.extent[0] = 1;
        kMatmulReference.run(few, *stream);
        float largest = 0, off = 0;
        for (size_t i = 0; i < got.size(); ++i) {
            largest = std::max(largest, std::abs(y_[i]));
            off = std::max(off, std::abs(y_[i] - got[i]));
        }
        HEARTH_CHECK(off <= 2e-2f * largest);
    }

private:
    void* allocate(const Bench& bench, std::span<const HostMatrix> parts) {
        storage_.push_back(bench.backend->allocate(bench.backend->plan(parts, WeightUse::kMatmul).bytes));
        return storage_.back().get();
    }

    std::vector<float> x_, y_;
    std::vector<DeviceBytes> storage_;
    std::vector<Weight> weights_;
    MatmulArgs args_;
    size_t at_ = 0;
    bool gated_ = false;
};

void run_matmul(benchmark::State& state, Bench& bench, const Variant<MatmulArgs>& row, int64_t tokens, int64_t n, int64_t k, bool gated) {
    MatmulCase test(bench, tokens, n, k, gated);
    const MatmulArgs& args = test.next();
    bench.stream->reserve(row.workspace_bytes(args, bench.backend->device()));
    test.check(row, bench);
    for (auto _ : state) row.run(test.next(), *bench.stream);
    bench.report(state, row.name, static_cast<double>(args.w.bytes + args.up.bytes), static_cast<double>(args.flops()));
}

/// `tokens` at the end of a context of `length`, one sequence.
class AttentionCase {
public:
    AttentionCase(const Bench& bench, const ModelShape& m, int64_t tokens, int64_t length)
        : q_(static_cast<size_t>(tokens * m.heads * m.head_dim)),
          y_(q_.size()),
          positions_(static_cast<size_t>(tokens)),
          starts_{0, static_cast<int32_t>(tokens)} {
        const int64_t blocks = (length + kBlockTokens - 1) / kBlockTokens, numbers = blocks * kBlockTokens * m.groups * m.head_dim;
        fill(q_.data(), std::ssize(q_), 1);
        const int64_t cold = tokens == 1 ? 2 * bench.limits.last_cache_bytes / (4 * numbers) : 0;
        for (int64_t i = 0; i <= std::min<int64_t>(cold, 512); ++i) {
            pages_.push_back(bench.backend->allocate(4 * numbers));
            if (i == 0) fill(reinterpret_cast<uint16_t*>(pages_[0].get()), 2 * numbers, 2);
            if (i > 0) std::memcpy(pages_.back().get(), pages_[0].get(), static_cast<size_t>(4 * numbers));
        }
        for (int64_t t = 0; t < tokens; ++t) positions_[static_cast<size_t>(t)] = static_cast<int32_t>(length - tokens + t);
        for (int64_t b = 0; b < blocks; ++b) table_.push_back(static_cast<int32_t>(b));
        args_.q = {q_.data(), {tokens, m.heads * m.head_dim}};
        args_.y = {y_.data(), {tokens, m.heads * m.head_dim}};
        args_.cache = {DType::kBf16, nullptr, nullptr, blocks, m.groups, m.head_dim};
        args_.positions = {positions_.data(), {tokens}};
        args_.seq_starts = {starts_, {2}};
        args_.block_tables = {table_.data(), {1, blocks}};
        args_.num_heads = m.heads;
        args_.scale = 1 / std::sqrt(static_cast<float>(m.head_dim));
        half_ = 2 * numbers;
        next();
    }

    const AttentionArgs& next() {
        args_.cache.k = pages_[at_ % pages_.size()].get();
        args_.cache.v = pages_[at_++ % pages_.size()].get() + half_;
        return args_;
    }

private:
    std::vector<float> q_, y_;
    std::vector<int32_t> positions_, table_;
    int32_t starts_[2];
    std::vector<DeviceBytes> pages_;
    AttentionArgs args_;
    int64_t half_ = 0;
    size_t at_ = 0;
};

void run_attention(benchmark::State& state, Bench& bench, const Variant<AttentionArgs>& row, const ModelShape& model, int64_t tokens,
                   int64_t length) {
    AttentionCase test(bench, model, tokens, length);
    const AttentionArgs& args = test.next();
    bench.stream->reserve(row.workspace_bytes(args, bench.backend->device()));
    for (auto _ : state) row.run(test.next(), *bench.stream);
    bench.report(state, row.name, static_cast<double>(args.bytes()), static_cast<double>(args.flops()));
}

void add_matmuls(Bench& bench, const ModelShape& m) {
    const struct {
        const char* name;
        int64_t n, k;
        bool gated;
    } products[] = {{"qkv", (m.heads + 2 * m.groups) * m.head_dim, m.hidden, false},
                    {"gate_up", m.intermediate, m.hidden, true},
                    {"down", m.hidden, m.intermediate, false}};
    for (const auto& row : bench.backend->tables().matmul) {
        for (const auto& p : products) {
            for (const int64_t tokens : {1, 16, 512}) {
                MatmulArgs shape;
                shape.w = {WeightFormat::kBf16, WeightLayout::kPanels, &shape, p.n, p.k, 2 * p.n * p.k};
                if (p.gated) shape.up = shape.w;
                shape.x = {nullptr, {tokens, p.k}};
                shape.y = {nullptr, {tokens, p.n}};
                if (row.name.ends_with("/reference") || !row.supports(shape, bench.backend->device())) continue;
                benchmark::RegisterBenchmark(
                    cat(row.name, '/', m.name, '/', p.name, '/', tokens).c_str(),
                    [&bench, &row, tokens, p](benchmark::State& state) { run_matmul(state, bench, row, tokens, p.n, p.k, p.gated); })
                    ->UseRealTime()
                    ->Unit(benchmark::kMillisecond);
            }
        }
    }
}

void add_attention(Bench& bench, const ModelShape& m) {
    for (const auto& row : bench.backend->tables().attention) {
        if (row.name.ends_with("/reference")) continue;
        for (const auto& [tokens, length] : {std::pair<int64_t, int64_t>{1, 512}, {1, 4096}, {512, 512}, {512, 4096}}) {
            AttentionArgs shape;
            shape.q = {nullptr, {tokens, m.heads * m.head_dim}};
            shape.y = {nullptr, {tokens, m.heads * m.head_dim}};
            shape.cache = {DType::kBf16, nullptr, nullptr, 1, m.groups, m.head_dim};
            shape.num_heads = m.heads;
            if (!row.supports(shape, bench.backend->device())) continue;
            benchmark::RegisterBenchmark(cat(row.name, '/', m.name, '/', tokens, "_of_", length).c_str(),
                                         [&bench, &row, &m, tokens = tokens, length = length](benchmark::State& state) {
                                             run_attention(state, bench, row, m, tokens, length);
                                         })
                ->UseRealTime()
                ->Unit(benchmark::kMillisecond);
        }
    }
}

int run(int argc, char** argv) {
    std::string model = "1b";
    BackendOptions options;
    options.fixed_order = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view flag = argv[i];
        if (flag.starts_with("--model=")) model = flag.substr(8);
        if (flag.starts_with("--threads=")) options.threads = std::atoi(argv[i] + 10);
        if (flag.starts_with("--device=")) options.device = flag.substr(9);
    }
    benchmark::Initialize(&argc, argv);
    Bench bench{make_backend(options), nullptr, measure_limits({.threads = options.threads})};
    bench.stream = bench.backend->make_stream();
    std::printf("%s, %d threads: read %.1f GB/s, f32 FMA %.0f, bf16 dot %.0f, bf16 tiles %.0f GFLOP/s\n", bench.limits.cpu.c_str(),
                bench.limits.threads, bench.limits.read_gbps_all(), bench.limits.fma_f32_gflops, bench.limits.dot_bf16_gflops,
                bench.limits.amx_bf16_gflops);
    bool known = false;
    for (const ModelShape& m : kModels) {
        if (model != m.name) continue;
        known = true;
        add_matmuls(bench, m);
        add_attention(bench, m);
    }
    if (!known) throw Error(ErrorKind::kBadInput, cat("--model=", model, ": there are 1b, 7b, 8b"));
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) {
    try {
        return hearth::run(argc, argv);
    } catch (const hearth::Error& error) {
        std::fprintf(stderr, "perf_kernels: %s\n", error.what());
        return 2;
    }
}
