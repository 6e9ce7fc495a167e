// Prints what this machine can do at most: the figures that every other benchmark is a share of.
#include "kernels/limits.h"

#include <cstdio>

#include "base/text.h"

int main() {
    const hearth::Limits limits = hearth::measure_limits();
    std::printf("%s, %d threads, pool barrier %.2f us\n", limits.cpu.c_str(), limits.threads, limits.barrier_us);
    std::printf("read bandwidth, buffer of %s%s\n", hearth::human_bytes(limits.buffer_bytes).c_str(),
                limits.past_the_cache ? "" : ": less than four times the last cache");
    for (size_t i = 0; i < limits.read_gbps.size(); ++i) {
        if (limits.read_gbps[i] > 0) std::printf("  %3zu thread%s %8.1f GB/s\n", i + 1, i == 0 ? " " : "s", limits.read_gbps[i]);
    }
    const struct {
        const char* name;
        double giga;
    } units[] = {{"f32 FMA", limits.fma_f32_gflops},
                 {"bf16 dot (AVX-512)", limits.dot_bf16_gflops},
                 {"int8 dot (VNNI)", limits.dot_int8_gops},
                 {"bf16 tiles (AMX)", limits.amx_bf16_gflops},
                 {"int8 tiles (AMX)", limits.amx_int8_gops}};
    std::printf("peak of the arithmetic units\n");
    for (const auto& unit : units) {
        if (unit.giga > 0) std::printf("  %-20s %8.0f G/s\n", unit.name, unit.giga);
    }
}
