// What this machine can do at most: the yardstick of every benchmark.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hearth {

/// Measured, not read from a datasheet. Rates of all threads together; 0 where the machine has no such unit.
struct Limits {
    std::string cpu;           // name of the processor
    int threads = 0;           // of the rates below
    int64_t buffer_bytes = 0;  // that were streamed for the bandwidth
    int64_t last_cache_bytes = 0;
    bool past_the_cache = false;    // the buffer was at least four times the last cache
    std::vector<double> read_gbps;  // [i]: with i + 1 threads, in 10^9 bytes a second
    double fma_f32_gflops = 0;      // 10^9 multiplications and additions a second, each counted
    double dot_bf16_gflops = 0;     // vdpbf16ps
    double dot_int8_gops = 0;       // vpdpbusd
    double amx_bf16_gflops = 0;     // tdpbf16ps
    double amx_int8_gops = 0;       // tdpbssd
    double barrier_us = 0;          // of one call of the thread pool that does nothing

    double read_gbps_all() const { return read_gbps.empty() ? 0 : read_gbps.back(); }
};

struct LimitsOptions {
    int threads = 0;                // 0: physical cores
    int64_t most_buffer_bytes = 0;  // 0: a third of the memory
    int repeats = 5;                // the best counts: a limit is what can be had when nobody disturbs
};

/// Takes some seconds, most of them to write the buffer once. Throws Error{kNoResources} where there is no memory for it.
Limits measure_limits(const LimitsOptions& options = {});

}  // namespace hearth
