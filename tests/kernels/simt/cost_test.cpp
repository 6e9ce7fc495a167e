// Measures what the emulator costs, and prints it. What is asserted is the work, not the time.
#include <chrono>
#include <cstdio>

#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

double seconds_of(Emulator& gpu) {
    const auto begin = std::chrono::steady_clock::now();
    gpu.synchronize();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void barriers(int count) {
    for (int i = 0; i < count; ++i) sync_block();
}

void accesses(GlobalPtr<float> y, int count) {
    SharedArena arena;
    auto tile = arena.take<float>(64);
    tile.store(thread_x(), 0.0f);
    float sum = 0;
    for (int i = 0; i < count; ++i) {
        sum += tile[thread_x()];
        tile.store(thread_x(), sum);
    }
    y.store(thread_x(), sum);
}

void multiplies(int count) {
    Vec<float, 4> c{};
    const Vec<uint32_t, 4> a{{0x3f803f80, 0x3f803f80, 0x3f803f80, 0x3f803f80}};
    for (int i = 0; i < count; ++i) mma_m16n8k16(bf16{}, c, a, {{0x3f803f80, 0x3f803f80}});
}

TEST(SimtCost, SwitchesAccessesAndMma) {
    Emulator gpu;
    gpu.launch({.name = "barriers", .block = {256, 1, 1}}, barriers, 2000);
    const double switching = seconds_of(gpu);
    const uint64_t switches = gpu.machine().scheduler().switches();
    EXPECT_GE(switches, 2000u * 255);
    std::printf("a fiber switch with its barrier: %.1f ns\n", switching * 1e9 / static_cast<double>(switches));

    for (bool races : {false, true}) {
        Emulator memory({.races = races});
        auto y = memory.allocate<float>("y", 64);
        const int count = races ? 2000 : 100000;
        memory.launch({.name = "accesses", .block = {64, 1, 1}, .shared_bytes = 256}, accesses, y, count);
        const double accessing = seconds_of(memory);
        EXPECT_CLEAN(memory);
        std::printf("an access%s: %.1f ns\n", races ? " in a race run" : "", accessing * 1e9 / (64.0 * 2 * count));
    }

    Emulator matrix;
    matrix.launch({.name = "multiplies"}, multiplies, 1000);
    std::printf("an mma.m16n8k16 of a warp: %.2f us\n", seconds_of(matrix) * 1e6 / 1000);
    EXPECT_CLEAN(matrix);
}

}  // namespace
}  // namespace hearth::simt
