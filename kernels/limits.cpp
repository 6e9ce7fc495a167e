#include "kernels/limits.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/checked.h"
#include "kernels/cpu/detect.h"
#include "kernels/cpu/limits/loops.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/host/host_memory.h"

namespace hearth {
namespace {

template <class F>
double seconds_of(F&& f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// What the threads computed, so that nothing is optimised away.
struct alignas(64) Sink {
    float value = 0;
};

/// 10^9 operations a second of all threads.
double measure_unit(ThreadPool& pool, const cpu::UnitLoop& loop, int repeats) {
    std::vector<Sink> sinks(static_cast<size_t>(pool.threads()));
    const auto run = [&](int64_t iterations) {
        return seconds_of([&] {
            pool.run([&](int thread) {
                sinks[static_cast<size_t>(thread)].value += loop.run(iterations, static_cast<uint32_t>(thread) * 77 + 1);
            });
        });
    };
    constexpr double kSeconds = 0.03;
    int64_t iterations = 1000;
    while (run(iterations) < kSeconds) iterations *= 2;
    double best = run(iterations);
    for (int i = 1; i < repeats; ++i) best = std::min(best, run(iterations));
    return loop.ops_per_iteration * static_cast<double>(iterations) * pool.threads() / best * 1e-9;
}

struct ReadPattern {
    int streams;
    int64_t ahead;
};

/// Nobody knows beforehand which way of reading is fastest on a machine, so the best of these counts.
constexpr ReadPattern kPatterns[] = {{1, 0}, {2, 0}, {4, 0}, {1, 1024}, {1, 2048}, {2, 2048}, {4, 2048}};
constexpr int64_t kPieceBytes = 64 * 4 * 1024;  // a whole number of lines for any number of streams

double measure_read(const std::byte* data, int64_t bytes, int threads, cpu::ReadLoop read, int repeats) {
    ThreadPool pool(threads);
    std::vector<Sink> sinks(static_cast<size_t>(threads));
    const int64_t pieces = bytes / kPieceBytes;
    double best = 0;
    for (int i = 0; i < repeats; ++i) {
        for (const ReadPattern& pattern : kPatterns) {
            const double seconds = seconds_of([&] {
                pool.run([&](int thread) {
                    const Range part = part_of(pieces, thread, threads);
                    sinks[static_cast<size_t>(thread)].value +=
                        read(data + part.begin * kPieceBytes, part.size() * kPieceBytes, pattern.streams, pattern.ahead);
                });
            });
            best = std::max(best, static_cast<double>(pieces * kPieceBytes) / seconds * 1e-9);
        }
    }
    return best;
}

float read_portable(const std::byte* data, int64_t bytes, int, int64_t) noexcept {
    uint64_t sum = 0;
    for (int64_t i = 0; i < bytes; i += 8) {
        uint64_t word;
        std::memcpy(&word, data + i, sizeof word);
        sum += word;
    }
    return static_cast<float>(sum);
}

/// Fills the buffer with its own threads' pages and numbers that are no denormals.
std::shared_ptr<std::byte> make_buffer(int64_t bytes, ThreadPool& pool) {
    auto buffer = allocate_host(bytes);
    pool.run([&](int thread) {
        const Range part = part_of(bytes / 4, thread, pool.threads());
        auto* words = reinterpret_cast<uint32_t*>(buffer.get());
        auto seed = static_cast<uint32_t>(thread);
        for (int64_t i = part.begin; i < part.end; ++i) words[i] = 0x3F800000u | (seed = seed * 1664525u + 1013904223u) >> 9;
    });
    return buffer;
}

double measure_barrier(ThreadPool& pool, int repeats) {
    constexpr int kCalls = 2000;
    double best = 1e9;
    for (int i = 0; i < repeats; ++i) {
        best = std::min(best, seconds_of([&] {
                            for (int n = 0; n < kCalls; ++n) pool.run([](int) {});
                        }));
    }
    return best / kCalls * 1e6;
}

}  // namespace

Limits measure_limits(const LimitsOptions& options) {
    const CpuInfo cpu = detect_cpu();
    Limits limits;
    limits.cpu = cpu.name;
    limits.threads = options.threads > 0 ? options.threads : cpu.physical_cores;
    limits.last_cache_bytes = cpu.last_cache_bytes;
    ThreadPool pool(limits.threads);
    limits.barrier_us = measure_barrier(pool, options.repeats);

    const bool avx2 = cpu.level >= CpuLevel::kAvx2, avx512 = cpu.level >= CpuLevel::kAvx512, amx = cpu.level >= CpuLevel::kAmx;
    if (avx2) limits.fma_f32_gflops = measure_unit(pool, avx512 ? cpu::kFmaAvx512 : cpu::kFmaAvx2, options.repeats);
    if (avx512) limits.dot_bf16_gflops = measure_unit(pool, cpu::kDotBf16Avx512, options.repeats);
    if (avx512) limits.dot_int8_gops = measure_unit(pool, cpu::kDotInt8Avx512, options.repeats);
    if (amx) limits.amx_bf16_gflops = measure_unit(pool, cpu::kDotBf16Amx, options.repeats);
    if (amx) limits.amx_int8_gops = measure_unit(pool, cpu::kDotInt8Amx, options.repeats);

    constexpr int64_t kLeastBytes = int64_t{64} << 20, kTimesCache = 4;
    const int64_t wanted = std::max(kLeastBytes, kTimesCache * cpu.last_cache_bytes);
    const int64_t most = std::max(kLeastBytes, options.most_buffer_bytes > 0 ? options.most_buffer_bytes : cpu.memory_bytes / 3);
    limits.buffer_bytes = round_up(std::min(wanted, most), kPieceBytes);
    limits.past_the_cache = limits.buffer_bytes >= wanted;
    const auto buffer = make_buffer(limits.buffer_bytes, pool);
    const cpu::ReadLoop read = avx512 ? cpu::read_avx512 : avx2 ? cpu::read_avx2 : read_portable;
    for (int threads = 1; threads <= limits.threads;
         threads = threads < limits.threads && threads * 2 > limits.threads ? limits.threads : threads * 2) {
        limits.read_gbps.resize(static_cast<size_t>(threads), 0);
        limits.read_gbps.back() = measure_read(buffer.get(), limits.buffer_bytes, threads, read, options.repeats);
    }
    return limits;
}

}  // namespace hearth
