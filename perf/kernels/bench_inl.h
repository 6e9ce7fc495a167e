// Templates of bench.h.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

#include "perf/kernels/bench.h"

namespace hearth::perf {

template <class Args>
std::string difference(Bench& bench, const Variant<Args>& variant, const Variant<Args>& reference, Case<Args>& test, const Args& args) {
    constexpr float kTolerance = 2e-2f;  // of the largest number: variants round what goes into a product to bf16 or int8
    const auto stream = bench.reference->make_stream();
    for (const int64_t token : {int64_t{0}, test.tokens() - 1}) {
        const std::span<float> out = test.output(token);
        std::ranges::fill(out, 0.0f);
        variant.run(args, *bench.stream);
        const std::vector<float> got(out.begin(), out.end());
        const Args one = test.only(token);
        std::ranges::fill(out, 0.0f);
        stream->reserve(reference.workspace_bytes(one, bench.reference->device()));
        reference.run(one, *stream);
        float largest = 0, off = 0;
        for (size_t i = 0; i < got.size(); ++i) {
            largest = std::max(largest, std::abs(out[i]));
            off = std::isfinite(got[i]) ? std::max(off, std::abs(out[i] - got[i])) : INFINITY;
        }
        if (!(largest > 0) || !(off <= kTolerance * largest))
            return cat("differs from the reference by ", off, " at token ", token, ", where the largest number is ", largest);
    }
    return "";
}

template <class Args>
void add_variant(Bench& bench, const Variant<Args>& variant, const Variant<Args>& reference, const std::string& name, bool cold,
                 std::function<std::shared_ptr<Case<Args>>()> make) {
    const auto run = [&bench, &variant, &reference, name, cold, make](benchmark::State& state) {
        const std::string full = cat(variant.name, "/", name);
        const bool fresh = bench.made_name != full;
        if (fresh) bench.made.reset();  // before the next one takes memory
        if (fresh) bench.made = make(), bench.made_name = full;
        auto& test = *static_cast<Case<Args>*>(bench.made.get());
        const Args& args = test.next();
        bench.stream->reserve(variant.workspace_bytes(args, bench.backend->device()));
        const std::string wrong = fresh ? difference(bench, variant, reference, test, args) : "";
        if (!wrong.empty()) return state.SkipWithError(wrong.c_str());
        const auto start = std::chrono::steady_clock::now();  // the library's own rates say "/s" behind a share
        for (auto _ : state) variant.run(test.next(), *bench.stream);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        bench.count(state, variant.name, test.bytes_from_memory(), static_cast<double>(args.flops()),
                    took.count() / static_cast<double>(state.iterations()), cold);
    };
    benchmark::RegisterBenchmark(cat(variant.name, "/", name).c_str(), run)->UseRealTime()->Unit(benchmark::kMillisecond);
}

template <class Args>
void add(Bench& bench, std::span<const Variant<Args>> Tables::*table, const Args& shape, const std::string& name, bool cold,
         std::function<std::shared_ptr<Case<Args>>()> make) {
    for (const Variant<Args>& variant : bench.backend->tables().*table) {
        if (variant.name.ends_with("/reference") || !variant.supports(shape, bench.backend->device())) continue;
        add_variant(bench, variant, (bench.reference->tables().*table).back(), name, cold, make);
    }
}

}  // namespace hearth::perf
