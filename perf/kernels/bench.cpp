#include "perf/kernels/bench.h"

#include <algorithm>

#include "base/text.h"
#include "kernels/arithmetic_unit.h"

namespace hearth::perf {

int64_t Bench::cold_bytes() const {
    constexpr int64_t kLeast = int64_t{64} << 20, kMost = int64_t{2} << 30;
    return std::min({std::max(4 * limits.last_cache_bytes, kLeast), kMost, backend->device().memory_bytes / 4});
}

void Bench::count(benchmark::State& state, std::string_view variant, double bytes, double flops, double seconds, bool cold) const {
    std::string over;
    const auto share = [&](const char* name, double part, double whole) {
        if (whole > 0 && part <= whole) state.counters[name] = part / whole;
        if (whole > 0 && part > whole) over += cat(over.empty() ? "" : " and ", name, " above 1 (", fixed(part / whole, 2), ")");
        if (!over.empty()) state.SetLabel(over + ": from a cache, or the limit was disturbed");
    };
    state.counters["GB/s"] = bytes / seconds * 1e-9;
    if (cold) share("of_bandwidth", bytes / seconds * 1e-9, limits.read_gbps_all());
    if (flops <= 0) return;
    state.counters["GFLOP/s"] = flops / seconds * 1e-9;
    share("of_peak", flops / seconds * 1e-9, peak_of(limits, unit_of(variant)));
}

namespace {

/// A linear congruential generator: millions of numbers a case, whose quality does not matter.
uint32_t step(uint32_t& state) { return state = state * 1664525u + 1013904223u; }

}  // namespace

void fill(float* out, int64_t count, uint32_t seed) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(static_cast<int32_t>(step(seed))) * 0x1p-31f;
}

void fill(uint16_t* out, int64_t count, uint32_t seed) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<uint16_t>(0x3C00 | ((step(seed) >> 16) & 0x83FF));
}

}  // namespace hearth::perf
